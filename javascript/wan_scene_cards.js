/* The list of the page Scenes: each piece with its first frame, whether it becomes a file, and where it can be sent on. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, form, pages, strip, scenes, cards] = ["dom", "server", "form", "pages", "sceneStrip", "scenes", "sceneCards"].map(part);

    const SHOWN = 60; // pieces at first; more by a button

    let most = SHOWN, drawn = "";

    function make() {
        cards.list = dom.el("ul", { class: "wan-sc-cards", "aria-label": "Scenes" });
        cards.more = dom.button("Show more", () => { most += SHOWN; draw(); }, { id: "wan_scenes_more", title: "Shows more scenes" });
        cards.words = dom.el("p", { class: "wan-quiet", id: "wan_scenes_uncut" });
        cards.box = dom.el("div", { class: "wan-hidden" }, cards.words, cards.list, cards.more);
        return cards.box;
    }

    /** The file of a piece, when it was cut as it is now; "" before. */
    function fileOf({ start, end }) {
        const scene = scenes.data.list.scenes.find((each) => each.start === start && each.end === end);
        if (!scene || !scene.file) return "";
        return scenes.state.list.replace(/[^\\/]*$/, "") + scene.file;
    }

    function draw() {
        dom.show(cards.box, Boolean(scenes.data));
        if (!scenes.data) return;
        const all = scenes.pieces(), told = JSON.stringify([scenes.state.list, all, scenes.data.list.scenes, most]);
        if (told === drawn) return;
        drawn = told;
        const uncut = all.filter((each) => each.kept && !fileOf(each)).length;
        cards.words.textContent = `${isOffered() ? "Start video and Outpaint take" : "Start video takes"} a scene's file: press Split first, ${uncut === all.length ? "no scene is" : `${dom.plural(uncut, "scene")} ${uncut === 1 ? "is" : "are"} not`} cut yet.`;
        dom.show(cards.words, uncut > 0);
        const focused = cards.list.contains(document.activeElement) ? document.activeElement.dataset.key : "";
        const old = new Map([...cards.list.querySelectorAll("img")].map((each) => [each.dataset.key, each]));
        dom.fill(cards.list, ...all.slice(0, most).map((each, index) => card(each, index, old)));
        dom.show(cards.more, all.length > most);
        if (focused) cards.list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    }

    function card(piece, index, old) {
        const { start, end, kept } = piece, file = fileOf(piece), name = `scene ${index}`, key = `${scenes.state.list} ${start}`;
        const image = old.get(key) || dom.el("img", { src: scenes.picture(start, 320), alt: "", loading: "lazy", "data-key": key });
        const box = dom.el("input", { type: "checkbox", "aria-label": `Cut ${name} into a file`, "data-key": `${start} kept`, onchange: () => scenes.setKept(start, box.checked) });
        box.checked = kept;
        const act = (words, title, work, without = "") => {
            const made = dom.button(words, () => server.attempt(work), { title: without || title, "aria-label": `${words}: ${name}`, "data-key": `${start} ${words}` });
            made.disabled = Boolean(without);
            return made;
        };
        const needs = file ? "" : "Press Split first: it needs the scene's file";
        return dom.el("li", { class: `wan-sc-card${kept ? "" : " wan-sc-out"}` },
            dom.el("button", { type: "button", class: "wan-sc-thumb", "aria-label": `Show the begin of ${name}`, "data-key": `${start} thumb`, onclick: () => { strip.choose(start); strip.draw(); } }, image),
            dom.el("div", { class: "wan-sc-words" },
                dom.el("label", { class: "wan-sc-name" }, box, dom.el("b", { text: String(index).padStart(3, "0") }), dom.el("span", { text: `${(scenes.secondsOf(end) - scenes.secondsOf(start)).toFixed(2)} s` })),
                dom.el("div", { class: "wan-quiet", text: `frames ${start} to ${end - 1}` }),
                dom.el("div", { class: "wan-job-actions" },
                    act("Start image", "Its first frame becomes the film's start image", () => asStartImage(start)),
                    act("Start video", "A new film goes on from its end", () => send("init_video", file), needs),
                    isOffered() ? act("Outpaint", "Opens the page Outpaint with it", () => outpaint(file), needs) : null)));
    }

    const isOffered = () => pages.buttons.has("outpaint");

    /** Put a path into a box of the page Film. */
    async function send(field, path) {
        pages.show("film");
        await form.put(field, path);
    }

    async function asStartImage(frame) {
        const { path } = await server.api("scenes/frames", { method: "POST", body: { path: scenes.state.list, frame } });
        await send("init_image", path);
    }

    function outpaint(file) {
        pages.show("outpaint");
        part("outpaint").take(file);
    }

    Object.assign(cards, { make, draw });
})();
