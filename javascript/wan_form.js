/* The Wan tab's form: its boxes, their help, which of them matter, and the way to a problem's place. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, dom, server, form, timeline, models, pages] = ["page", "dom", "server", "form", "timeline", "models", "pages"].map(part);

    const OPENING_LOOKS = 100; // at a box that is being made, 50 ms apart
    const KEPT_LOOKS = 4; // after which what was written into it stays

    /** The id of a setting of the open page, whose controls are those of one or more tables. */
    function idOf(field) {
        const ids = pages.about().prefixes.map((prefix) => prefix + field);
        return ids.find((id) => id in page.help) || ids[0];
    }

    /** The element of a setting of the open page; null while gradio has not made it. */
    function block(field) {
        return dom.inTab(`#${CSS.escape(idOf(field))}`);
    }

    function input(field) {
        return block(field)?.querySelector("textarea, input") || null;
    }

    /** The box that a problem's place names: of the page's own making, or a control of its form. */
    function find(place) {
        return pages.open().find?.(place) || input(place.field || "prompts");
    }

    /** The control that holds a box. */
    function blockOf(box) {
        return Object.keys(page.help).map((id) => box.closest(`#${CSS.escape(id)}`)).find(Boolean) || box;
    }

    async function goTo(place) {
        const field = place.field || "prompts", folded = find(place);
        if (!folded || !folded.offsetParent) {
            // gradio 6 makes what is folded away only when it is opened.
            const fold = dom.inTab(`#${page.folds[idOf(field)]} .label-wrap`);
            fold?.click();
            await dom.pause(200);
            // A busy browser takes longer.
            for (let look = 0; fold && look < OPENING_LOOKS && !find(place)?.offsetParent; look += 1) await dom.pause(50);
        }
        const target = find(place);
        if (!target) return;
        target.scrollIntoView({ block: "center", behavior: dom.calm() ? "auto" : "smooth" });
        target.focus({ preventScroll: true });
        if (target.tagName !== "TEXTAREA" && target.type !== "text") return;
        const found = timeline.placeInText(target.value, place);
        if (found) target.setSelectionRange(place.column ? found.at : found.start, found.end);
        else if (place.column) target.setSelectionRange(Number(place.column) - 1, target.value.length);
    }

    /** Write a text into a setting's box, as a user would; again while gradio, which is still making it, empties it. */
    async function put(field, text) {
        await goTo({ field });
        for (let look = 0, kept = 0; look < OPENING_LOOKS && kept < KEPT_LOOKS; look += 1) {
            const target = input(field);
            kept = target?.value === text ? kept + 1 : 0;
            if (target && !kept) {
                target.value = text;
                target.dispatchEvent(new Event("input", { bubbles: true }));
            }
            await dom.pause(50);
        }
    }

    function valueOf(field) {
        const target = block(field)?.querySelector("input[type=radio]:checked") || input(field);
        return target ? target.value.trim() : "";
    }

    /** When a control does something; the others are always shown. */
    const RELEVANT = {
        seed_iter_n: () => valueOf("seed_behavior") === "iter",
        seed_schedule: () => valueOf("seed_behavior") === "schedule",
        encoder: isEncoded, crf: isEncoded, preset: isEncoded, pixel_format: isEncoded,
        soundtrack_offset: () => valueOf("soundtrack") !== "",
    };

    function isEncoded() {
        return ["h264", "hevc"].includes(valueOf("codec"));
    }

    function showRelevant() {
        for (const [field, test] of Object.entries(RELEVANT)) {
            const found = block(field);
            if (found) dom.show(found, test() || found.classList.contains("wan-wrong"));
        }
    }

    function describeFields() {
        for (const [id, text] of Object.entries(page.help)) {
            const block = dom.inTab(`#${CSS.escape(id)}`);
            if (!block) continue;
            // WebUIs give labels of these names their own tooltips unless there is one.
            block.querySelectorAll("label span, span[data-testid=block-info]").forEach((each) => { each.title = text; });
            block.querySelectorAll("input, textarea").forEach((each) => each.setAttribute("aria-description", text));
        }
        for (const [id, [label, text]] of Object.entries(page.buttons)) {
            const button = dom.inTab(`#${CSS.escape(id)}`);
            if (!button) continue;
            button.title = text;
            if (label) button.setAttribute("aria-label", `${button.textContent.trim()}: ${label}`);
        }
        page.root.querySelectorAll(".wan-more .label-wrap").forEach((fold) => { fold.title = "What is seldom used"; });
    }

    /** gradio 3 folds with elements that only a mouse reaches. */
    function makeFoldsReachable() {
        page.root.querySelectorAll(".wan-more .label-wrap:not(button, [tabindex])").forEach((fold) => {
            fold.tabIndex = 0;
            fold.setAttribute("role", "button");
            fold.addEventListener("keydown", (event) => {
                if (event.key !== "Enter" && event.key !== " ") return;
                event.preventDefault();
                fold.click();
            });
        });
    }

    function drawThumbnails() {
        for (const name of ["init_image", "end_image"]) {
            const target = input(name), holder = block(name);
            if (!target) continue;
            const path = target.value.trim(), old = holder.querySelector(".wan-picked");
            if (old && old.dataset.path === path) continue;
            if (old) old.remove();
            if (path) holder.append(dom.el("img", { class: "wan-picked", "data-path": path, alt: "", src: server.address(`files?path=${encodeURIComponent(path)}`), onerror: (event) => dom.show(event.target, false) }));
        }
    }

    let dressing = null;

    /** Controls come and go: gradio 6 makes what is folded away only when it is opened. */
    function dress() {
        clearTimeout(dressing);
        dressing = setTimeout(() => {
            describeFields();
            makeFoldsReachable();
            models.suggest();
            showRelevant();
            drawThumbnails();
        }, 50);
    }

    function clicked(event) {
        const place = event.target.closest(".wan-place");
        if (place) goTo(place.dataset);
    }

    /** Called by gradio when a control's value has changed. */
    tab.changed = () => {
        if (!page.root) return;
        pages.open().changed?.();
        dress();
    };
    Object.assign(form, { clicked, put, blockOf, find, input, valueOf, showRelevant, dress });
})();
