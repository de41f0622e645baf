/* What one keyframe of a storyboard has of its own, folded away in its card: seed, change from the one before, mask. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, storyboard, own] = ["dom", "server", "storyboard", "storyOwn"].map(part);

    const NUMBERS = {
        seed: { text: "Seed", usual: "auto", title: "Its own seed; empty takes the storyboard's plus its number." },
        strength: { text: "Change", usual: "as set", title: "How much it changes the keyframe before, 0 to 1: near 0 it stays almost as it is, 0 makes it from its words alone. Empty as set under Pictures." },
    };
    const MASK = "A grey picture: what is white is made new, what is black stays as in the keyframe before.";
    const opened = new Set(); // numbers of the keyframes whose box is unfolded

    function make(number) {
        const each = storyboard.keyframes()[number], names = number ? ["seed", "strength"] : ["seed"]; // nothing is before keyframe 0
        const fold = dom.el("details", { class: "wan-details wan-story-own", open: opened.has(number), ontoggle: () => { if (fold.open) opened.add(number); else opened.delete(number); } },
            dom.el("summary", { text: number ? "Seed, change, mask" : "Seed", title: "What is changed here takes the picture away until pictures are made again" }), dom.el("fieldset", { class: "wan-plain", disabled: Boolean(each.locked) }, ...names.map((name) => box(number, each, name)), number ? mask(number, each) : null));
        return fold;
    }

    const keys = (number, name) => ({ id: `wan_story_keyframe_${number}_${name}`, "data-key": `keyframe-${number}-${name}` });

    function box(number, each, name) {
        const { text, usual, title } = NUMBERS[name];
        const input = dom.el("input", { class: "wan-input", type: "text", inputmode: "decimal", ...keys(number, name), placeholder: usual, value: `${each[name] ?? ""}`, "aria-label": `${text} of keyframe ${number}`, onchange: () => put(each, name, dom.number(input.value)) });
        return dom.el("label", { class: "wan-story-field", title }, dom.el("span", { class: "wan-label", text }), input);
    }

    function mask(number, each) {
        const picker = dom.el("input", { type: "file", accept: "image/*", class: "wan-hidden", onchange: () => { if (picker.files.length) server.attempt(async () => put(each, "mask", (await server.upload(picker.files[0])).path)); } });
        const choose = dom.button(each.mask ? "Other" : "Choose", () => picker.click(), { ...keys(number, "mask"), "aria-label": `Choose a mask for keyframe ${number}` });
        const remove = dom.button("Remove", () => put(each, "mask", undefined), { "aria-label": `Remove the mask of keyframe ${number}` });
        dom.show(remove, Boolean(each.mask));
        return dom.el("div", { class: "wan-story-field", title: each.mask ? `${MASK} Now: ${each.mask}` : MASK }, dom.el("span", { class: "wan-label", text: "Mask" }), choose, remove, picker);
    }

    /** Its picture is another one then: the old one is found again when the old values come back. */
    function put(each, name, value) {
        each[name] = value;
        each.image = "";
        storyboard.left();
    }

    /** Unfold a keyframe's box, so that one of its controls can be seen. */
    function open(number) {
        opened.add(number);
        document.getElementById(`wan_story_keyframe_${number}_seed`)?.closest("details")?.setAttribute("open", "");
    }

    Object.assign(own, { make, open });
})();
