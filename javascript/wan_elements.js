/* Small helpers of the Wan tab: elements of the page, and numbers and times in words. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, dom] = ["page", "dom"].map(part);

    const inTab = (selector) => page.root.querySelector(selector);

    const CONTROLS = ["button", "input", "select", "textarea"];

    /** An element; a control's tooltip is its label's words unless it has one. */
    function el(tag, attributes, ...children) {
        const made = document.createElement(tag);
        if (CONTROLS.includes(tag)) made.title = attributes?.["aria-label"] || "";
        for (const [name, value] of Object.entries(attributes || {})) {
            if (value === false || value === null || value === undefined) continue;
            if (name === "class") made.className = value;
            else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
            else if (name === "text") made.textContent = value;
            else made.setAttribute(name, value === true ? "" : value);
        }
        made.append(...children.filter((child) => child !== null && child !== undefined));
        return made;
    }

    function button(text, onclick, attributes) {
        return el("button", { type: "button", class: "wan-button", text, onclick, ...attributes });
    }

    function show(element, visible) {
        element.classList.toggle("wan-hidden", !visible);
    }

    function fill(element, ...children) {
        element.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
    }

    function duration(seconds) {
        if (seconds === null || seconds === undefined || !isFinite(seconds)) return "";
        const whole = Math.max(0, Math.round(seconds));
        const hours = Math.floor(whole / 3600), minutes = Math.floor((whole % 3600) / 60);
        if (hours) return `${hours} h ${minutes} min`;
        return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
    }

    function sizeWords(bytes) {
        const units = ["B", "kB", "MB", "GB", "TB"];
        let size = bytes, unit = 0;
        while (size >= 1000 && unit < units.length - 1) { size /= 1000; unit += 1; }
        return `${Number(size.toPrecision(3))} ${units[unit]}`;
    }

    function clock(seconds) {
        const time = new Date(seconds * 1000), today = new Date().toDateString() === time.toDateString();
        return today ? time.toLocaleTimeString([], { timeStyle: "short" })
            : time.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    }

    function plural(number, word) {
        return `${number} ${word}${number === 1 ? "" : "s"}`;
    }

    /** The number that was written; nothing for an empty box; what is no number goes to the engine, which says so. */
    function number(text) {
        const found = Number(text.replace(",", "."));
        return text.trim() === "" ? undefined : Number.isFinite(found) ? found : text.trim();
    }

    function calm() {
        return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    }

    function pause(milliseconds) {
        return new Promise((resolve) => setTimeout(resolve, milliseconds));
    }

    /** Follow the pointer of a press until it is let go, or the browser takes it away. */
    function drag(pressed, moved, done) {
        const heard = new AbortController(), { signal } = heard;
        const hear = (name, work) => window.addEventListener(name, (event) => { if (event.pointerId === pressed.pointerId) work(event); }, { signal });
        hear("pointermove", moved);
        for (const name of ["pointerup", "pointercancel"]) hear(name, () => { heard.abort(); done(); });
    }

    /** Draw anew once the key or the press that left a box has reached its goal, which is lost where it is replaced. */
    function afterLeaving(draw, wait = 0) {
        setTimeout(() => { if (page.root.matches(":active")) afterLeaving(draw, 40); else draw(); }, wait);
    }

    Object.assign(dom, { inTab, el, button, show, fill, duration, sizeWords, clock, plural, number, calm, pause, drag, afterLeaving });
})();
