/* The strip on the page Storyboard: keyframe, segment, keyframe, ..., each a card with its words; by mouse and keyboard. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, storyboard, ask, own, strip] = ["dom", "server", "storyboard", "storyAsk", "storyOwn", "storyStrip"].map(part);

    const STEP = 0.25; // seconds: what Wan's models make as it is
    const NARROWEST = 226, WIDEST = 420, A_SECOND = 62; // px of a segment's card

    function make() {
        strip.list = dom.el("ol", { class: "wan-story-cards", "aria-label": "Storyboard" });
        strip.pictures = dom.button("Make pictures", () => server.attempt(() => storyboard.work("pictures")), { id: "wan_story_pictures", title: "Makes the pictures that are missing" });
        strip.approve = dom.button("Approve", storyboard.approve, { id: "wan_story_approve", title: "All pictures are as they should be: they are locked, and the film may be rendered" });
        strip.add = dom.button("Add segment", () => storyboard.insert(storyboard.state.story.segments.length), { id: "wan_story_add", title: "A further segment at the end" });
        strip.clear = dom.button("Clear", storyboard.clear, { id: "wan_story_clear", title: "Begin with an empty storyboard" });
        strip.words = dom.el("span", { class: "wan-quiet", "aria-live": "polite" });
        strip.scroll = dom.el("div", { class: "wan-scroll", tabindex: "0", role: "region", "aria-label": "Storyboard" }, strip.list);
        strip.fields = dom.el("fieldset", { class: "wan-plain" },
            dom.el("div", { class: "wan-head wan-kf-head" }, dom.el("h3", { class: "wan-title", text: "Storyboard" }), strip.words, dom.el("span", { class: "wan-space" }),
                dom.el("span", { class: "wan-group" }, strip.add, strip.clear, strip.pictures, strip.approve)), strip.scroll);
        return dom.el("div", { class: "wan-panel wan-story" }, strip.fields);
    }

    function draw() {
        const { segments } = storyboard.state.story, active = strip.list.contains(document.activeElement) ? document.activeElement.dataset.key : "";
        const left = strip.scroll.scrollLeft, count = storyboard.missing(), busy = storyboard.isBusy();
        dom.fill(strip.list, ...(segments.length ? [keyframe(0), ...segments.flatMap((_, index) => [segment(index), keyframe(index + 1)])] : []));
        dom.show(strip.scroll, segments.length > 0);
        strip.scroll.scrollLeft = left;
        strip.words.textContent = words(count);
        strip.fields.disabled = busy;
        strip.pictures.disabled = !segments.length || !count;
        strip.approve.disabled = !segments.length || count > 0 || storyboard.isApproved();
        strip.clear.disabled = !segments.length;
        if (active) strip.list.querySelector(`[data-key="${CSS.escape(active)}"]`)?.focus();
    }

    function words(count) {
        const { segments } = storyboard.state.story, seconds = Number(storyboard.startOf(segments.length).toFixed(2));
        if (storyboard.isBusy()) return segments.length ? `${dom.plural(segments.length, "segment")} so far; it is being worked on.` : "It is being planned.";
        if (!segments.length) return "Plan a long prompt, or add a segment.";
        const stand = count ? `${dom.plural(count, "picture")} missing` : storyboard.isApproved() ? "approved" : "not approved yet";
        return `${dom.plural(segments.length, "segment")}, ${seconds} s, ${stand}`;
    }

    function keyframe(number) {
        const each = storyboard.keyframes()[number], name = `keyframe ${number}`, key = (what) => `keyframe-${number}${what ? `-${what}` : ""}`;
        const text = dom.el("textarea", { class: "wan-input", rows: "3", "data-key": key(""), "aria-label": `What ${name} shows`, placeholder: "what the picture shows", oninput: () => { each.description = text.value; storyboard.changed(); } });
        text.value = each.description || "";
        const picker = dom.el("input", { type: "file", accept: "image/*", class: "wan-hidden", onchange: () => { if (picker.files.length) server.attempt(() => storyboard.ownPicture(number, picker.files[0])); } });
        const redo = dom.button("Redo", () => server.attempt(() => storyboard.work("pictures", [number])), { "data-key": key("redo"), "aria-label": `Make the picture of ${name} again`, title: "Another picture of the same words" });
        redo.disabled = each.locked || !each.image;
        const lock = dom.button(each.locked ? "Locked" : "Lock", () => storyboard.lock(number, !each.locked), { "data-key": key("lock"), "aria-pressed": String(Boolean(each.locked)), "aria-label": `Lock ${name}`, title: "A locked picture is never made again", class: `wan-button${each.locked ? " wan-pressed" : ""}` });
        lock.disabled = !each.image;
        return dom.el("li", { class: `wan-story-card wan-story-keyframe${each.locked ? " wan-story-locked" : ""}`, "data-keyframe": number },
            dom.el("div", { class: "wan-head" }, dom.el("strong", { text: `${number}` }), dom.el("span", { class: "wan-quiet", text: `${storyboard.startOf(number).toFixed(2)} s` })),
            picture(each, name), text,
            dom.el("div", { class: "wan-job-actions" }, redo, lock, dom.button("Replace", () => picker.click(), { "data-key": key("own"), "aria-label": `A picture of your own for ${name}` }), picker), own.make(number));
    }

    function picture(each, name) {
        if (!each.image) return dom.el("div", { class: "wan-story-picture" }, dom.el("i", { text: "no picture yet" }));
        const image = dom.el("img", { src: server.address(`files?path=${encodeURIComponent(each.image)}`), alt: `Picture of ${name}`, loading: "lazy" }), holder = dom.el("div", { class: "wan-story-picture" }, image);
        image.addEventListener("error", () => { image.replaceWith(dom.el("i", { text: "not found", title: each.image })); });
        return holder;
    }

    function segment(index) {
        const { segments } = storyboard.state.story, each = segments[index], number = index + 1, name = `segment ${number}`, key = (what) => `segment-${number}-${what}`;
        const prompt = dom.el("textarea", { class: "wan-input", rows: "4", "data-key": key("prompt"), "aria-label": `What happens in ${name}`, placeholder: "what happens", oninput: () => { each.prompt = prompt.value; storyboard.changed(); } });
        prompt.value = each.prompt || "";
        const camera = dom.el("input", { class: "wan-input wan-wide", type: "text", value: each.camera || "", "data-key": key("camera"), "aria-label": `Camera in ${name}`, placeholder: "camera", oninput: () => { each.camera = camera.value; storyboard.changed(); } });
        const seconds = dom.el("input", { class: "wan-input wan-kf-seconds", type: "text", inputmode: "decimal", value: `${each.seconds}`, "data-key": key("seconds"), "aria-label": `Seconds of ${name}`, onchange: () => storyboard.setSeconds(index, Number(seconds.value.replace(",", ".")), storyboard.left),
            onkeydown: (event) => { const by = { ArrowUp: STEP, ArrowDown: -STEP }[event.key]; if (by) { event.preventDefault(); storyboard.setSeconds(index, each.seconds + by); } } });
        const act = (what, text, label, work, disabled) => { const made = dom.button(text, work, { "data-key": key(what), "aria-label": `${label} ${name}` }); made.disabled = Boolean(disabled); return made; };
        const head = dom.el("div", { class: "wan-head wan-story-handle", draggable: "true", title: "Drag it to another place" }, dom.el("strong", { text: `Segment ${number}` }), dom.el("span", { class: "wan-space" }),
            act("shorter", "−", "Shorten", () => storyboard.setSeconds(index, each.seconds - STEP), each.seconds <= STEP), seconds, act("longer", "+", "Lengthen", () => storyboard.setSeconds(index, each.seconds + STEP)));
        const card = dom.el("li", { class: "wan-story-card wan-story-segment", "data-segment": index }, head, prompt, camera,
            dom.el("div", { class: "wan-job-actions" }, act("earlier", "Earlier", "Move earlier:", () => storyboard.move(index, index - 1), index === 0), act("later", "Later", "Move later:", () => storyboard.move(index, index + 1), index === segments.length - 1),
                act("insert", "Add after", "Add a segment after", () => storyboard.insert(index + 1)), act("remove", "Remove", "Remove", () => storyboard.remove(index)), ask.hasModel() ? enhance(index, key("enhance"), name) : null));
        card.style.width = `${Math.min(WIDEST, Math.max(NARROWEST, each.seconds * A_SECOND))}px`;
        head.addEventListener("dragstart", (event) => { event.dataTransfer.setData("text/plain", String(index)); event.dataTransfer.effectAllowed = "move"; strip.dragged = index; });
        head.addEventListener("dragend", () => { strip.dragged = null; });
        card.addEventListener("dragover", (event) => { if (typeof strip.dragged === "number") { event.preventDefault(); card.classList.add("wan-over"); } });
        card.addEventListener("dragleave", () => card.classList.remove("wan-over"));
        card.addEventListener("drop", (event) => { event.preventDefault(); const from = strip.dragged; strip.dragged = null; if (typeof from === "number") storyboard.move(from, index); });
        return card;
    }

    function enhance(index, key, name) {
        const button = dom.button("Enhance", async () => { button.disabled = true; await server.attempt(() => storyboard.enhance(index)); button.disabled = false; },
            { "data-key": key, "aria-label": `Enhance the words of ${name}`, title: "The language model says more of what is seen; it may cost money" });
        return button;
    }

    /** A box of a card by its key. */
    function box(key) {
        return strip.list.querySelector(`[data-key="${CSS.escape(key)}"]`);
    }

    Object.assign(strip, { make, draw, box });
})();
