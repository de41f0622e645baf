/* The live plans of the Wan tab: asked for while one types, their problems marked at their lines. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, dom, server, form, timeline] = ["page", "dom", "server", "form", "timeline"].map(part);

    const PLAN_DELAY = 250; // ms without typing before the plan is asked for
    const PLAN_PATIENCE = 20000; // ms after which a plan is asked for again; twice as long each time

    /** A plan that follows its page. wire: the handler that draws it.  target: where it stands.  note: what it is told.
     * planned: hears each answer. */
    function live(wire, target, note, planned) {
        const plan = { timer: null, busy: false, again: false };

        function changed() {
            if (!page.root) return;
            dom.inTab(target).classList.add("wan-stale");
            clearTimeout(plan.timer);
            plan.timer = setTimeout(ask, PLAN_DELAY);
        }

        async function ask() {
            plan.timer = null;
            if (plan.busy) {
                plan.again = true; // one question at a time
                return;
            }
            plan.busy = true;
            let patience = PLAN_PATIENCE;
            do {
                plan.again = false;
                const number = server.nextNumber();
                try {
                    const answer = await server.ask(wire, note(), patience);
                    if (planned) planned(answer);
                    if (await isShown(target, number)) patience = PLAN_PATIENCE;
                    else plan.again = true;
                } catch (error) {
                    patience *= 2;
                    if (patience <= server.ANSWER_TIMEOUT) plan.again = true;
                    else server.tell([{ message: error.message, remedy: error.remedy || "" }]);
                }
            } while (plan.again);
            plan.busy = false;
            // What was typed meanwhile is asked for in a moment.
            if (plan.timer === null) dom.inTab(target).classList.remove("wan-stale");
            markProblems();
        }

        return { changed };
    }

    /** If the answer to a question is what the page shows: gradio puts it there a moment after the mailbox. */
    async function isShown(target, number) {
        for (let look = 0; look < 40; look += 1) {
            const shown = dom.inTab(`${target} [data-number]`);
            if (shown && Number(shown.dataset.number) >= number) return true;
            await dom.pause(50);
        }
        return false;
    }

    /** Start and end of a problem's place in a text: of its line, and from its column on. */
    function placeInText(text, place) {
        const lines = text.split("\n"), column = Number(place.column || 1) - 1;
        const line = lineOf(lines, text, place);
        if (line < 0 || line >= lines.length) return null;
        const start = lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0), end = start + lines[line].length;
        // Without a line and a part a column counts from where the whole text begins.
        const from = place.line ? start : place.part ? start + startOfPart(lines[line], place) : 0;
        return { line, start, at: Math.min(from + column, end), end };
    }

    function lineOf(lines, text, place) {
        if (place.line) return Number(place.line) - 1;
        if (place.part || !place.column) return lines.findIndex((each) => keyOfLine(each) === place.key);
        return text.slice(0, Number(place.column) - 1).split("\n").length - 1;
    }

    /** Where in a line the key begins, or the text behind it; JSON has quotes around both. */
    function startOfPart(line, place) {
        const before = /^\s*"/.test(line) ? /^\s*"[^"]*"\s*:\s*"?/ : /^[^:]*:\s*/;
        return place.part === "text" ? (before.exec(line) || [""])[0].length : Math.max(0, line.indexOf(place.key));
    }

    function keyOfLine(line) {
        return line.split(":")[0].trim().replace(/^["']|["']$/g, "");
    }

    let marks = new AbortController(); // ends those that are shown

    /** Mark the fields that problems name, and the lines in the big texts. */
    function markProblems() {
        marks.abort();
        marks = new AbortController();
        page.root.querySelectorAll(".wan-wrong").forEach((each) => each.classList.remove("wan-wrong"));
        const lines = new Map();
        page.root.querySelectorAll(".wan-problems .wan-place").forEach((each) => {
            if (each.closest(".wan-page.wan-hidden")) return;
            const target = form.find(each.dataset);
            if (!target) return;
            (target.closest(".wan-field") || form.blockOf(target)).classList.add("wan-wrong");
            if (target.tagName !== "TEXTAREA") return;
            const found = placeInText(target.value, each.dataset);
            if (found) lines.set(target, (lines.get(target) || new Set()).add(found.line));
        });
        lines.forEach((numbers, target) => markLines(target, numbers));
        form.showRelevant();
    }

    /** A copy of the text behind the text area, in which only the marks are seen. */
    function markLines(target, numbers) {
        const style = getComputedStyle(target), backdrop = dom.el("div", { class: "wan-backdrop", "aria-hidden": "true" });
        for (const name of ["font", "letterSpacing", "lineHeight", "padding", "borderWidth", "textIndent", "tabSize"]) {
            backdrop.style[name] = style[name];
        }
        target.value.split("\n").forEach((line, number) => {
            backdrop.append(numbers.has(number) ? dom.el("mark", { text: line || " " }) : document.createTextNode(line), "\n");
        });
        const holder = target.parentElement;
        holder.classList.add("wan-holder");
        const place = () => {
            backdrop.style.left = `${target.offsetLeft}px`;
            backdrop.style.top = `${target.offsetTop}px`;
            backdrop.style.width = `${target.clientWidth + parseFloat(style.borderLeftWidth) + parseFloat(style.borderRightWidth)}px`;
            backdrop.style.height = `${target.offsetHeight}px`;
            backdrop.scrollTop = target.scrollTop;
        };
        holder.append(backdrop);
        place();
        const { signal } = marks, sizes = new ResizeObserver(place), drop = () => { backdrop.remove(); sizes.disconnect(); };
        sizes.observe(target);
        signal.addEventListener("abort", drop);
        target.addEventListener("scroll", place, { signal });
        target.addEventListener("input", drop, { signal, once: true });
    }

    Object.assign(timeline, { live, markProblems, placeInText });
})();
