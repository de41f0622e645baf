/* The strip of the page Scenes: the film from left to right with its pieces, the curve of likelihoods, and cuts that are
 * moved, added and removed by mouse and keys; below it the film, and the two pictures at the chosen place. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, scenes, strip] = ["dom", "server", "scenes", "sceneStrip"].map(part);

    /* The name of SVG is an address, and no address stands in these scripts. */
    const SVG = new DOMParser().parseFromString("<svg></svg>", "text/html").querySelector("svg").namespaceURI;
    const HEIGHT = 100; // of the curve's drawing
    const NARROW = 34; // px of a piece under which it has no picture
    const ZOOM = 2, MOST_ZOOM = 256;
    const BEFORE = 1; // seconds that are played before a cut

    /* at: the chosen frame.  drawn: the addresses of list and film that are shown. */
    Object.assign(strip, { at: 0, zoom: 1, drawn: "" });
    let dragged = null, look = null;

    function make() {
        strip.curve = document.createElementNS(SVG, "svg");
        strip.curve.setAttribute("class", "wan-sc-curve");
        strip.curve.setAttribute("preserveAspectRatio", "none");
        strip.curve.setAttribute("aria-hidden", "true");
        strip.pieces = dom.el("div", { class: "wan-sc-pieces" });
        strip.cuts = dom.el("div", { class: "wan-sc-cuts" });
        strip.head = dom.el("div", { class: "wan-sc-head-line" });
        strip.track = dom.el("div", { class: "wan-sc-track", tabindex: "0", role: "group", "aria-label": "Place in the film: arrows choose a frame, C adds a cut, Space plays", id: "wan_scenes_track", onkeydown: onKey, onpointerdown: onPress, ondblclick: (event) => { choose(frameOf(event)); scenes.add(strip.at); } },
            strip.pieces, strip.curve, strip.cuts, strip.head);
        strip.scroll = dom.el("div", { class: "wan-sc-scroll" }, strip.track);
        strip.where = dom.el("span", { class: "wan-sc-where", "aria-live": "polite" });
        strip.add = dom.button("Add cut", () => scenes.add(strip.at), { id: "wan_scenes_add", title: "A new scene begins at the chosen frame (C, or a double click)" });
        strip.removing = dom.button("Remove cut", () => scenes.remove(strip.at), { id: "wan_scenes_remove", title: "The scenes before and behind become one (Delete)" });
        strip.reset = dom.button("As found", () => scenes.reset(), { id: "wan_scenes_reset", title: "Takes back every change made by hand" });
        const step = (by, words) => dom.button(words, () => scenes.state.cuts && nudge(by), { id: `wan_scenes_${by < 0 ? "back" : "on"}`, title: by < 0 ? "One frame back; a chosen cut moves along" : "One frame on; a chosen cut moves along", "aria-label": by < 0 ? "One frame back" : "One frame on" });
        const toCut = (by, words) => dom.button(words, () => next(by), { id: `wan_scenes_${by < 0 ? "previous" : "next"}`, "aria-label": by < 0 ? "To the cut before" : "To the next cut" });
        const group = (...inside) => dom.el("span", { class: "wan-group" }, ...inside);
        const bar = dom.el("div", { class: "wan-sc-bar" }, group(toCut(-1, "\u21e4"), step(-1, "\u2190"), step(1, "\u2192"), toCut(1, "\u21e5")), strip.where, dom.el("span", { class: "wan-space" }),
            group(dom.button("\u2212", () => zoom(1 / ZOOM), { id: "wan_scenes_wider", "aria-label": "Show more of the film" }), dom.button("+", () => zoom(ZOOM), { id: "wan_scenes_closer", "aria-label": "Look closer" })),
            group(strip.add, strip.removing, dom.button("Play here", play, { id: "wan_scenes_play", title: "Plays the film from a second before the chosen frame (Space)" }), strip.reset));
        strip.film = dom.el("video", { controls: true, playsinline: true, preload: "metadata", "aria-label": "The film", ontimeupdate: follow, onerror: () => cannotPlay() });
        strip.cannot = dom.el("p", { class: "wan-quiet wan-hidden", text: "The browser cannot play this film; its pictures are shown all the same." });
        strip.before = dom.el("figure", {}, dom.el("img", { alt: "" }), dom.el("figcaption"));
        strip.here = dom.el("figure", {}, dom.el("img", { alt: "" }), dom.el("figcaption"));
        strip.box = dom.el("div", { class: "wan-sc-strip wan-hidden" }, strip.scroll, bar,
            dom.el("div", { class: "wan-sc-look" }, dom.el("div", {}, strip.film, strip.cannot), strip.before, strip.here));
        new ResizeObserver(() => { if (scenes.data) drawPieces(); }).observe(strip.scroll);
        return strip.box;
    }

    const share = (frame) => `${(100 * frame) / scenes.frames()}%`;
    const isCut = () => scenes.state.cuts.includes(strip.at);

    // -------------------------------------------------------------------------------------------------- drawing

    function draw() {
        dom.show(strip.box, Boolean(scenes.data));
        if (!scenes.data) { strip.drawn = ""; return; }
        if (strip.drawn !== scenes.data.list.film) begin();
        strip.track.style.width = `${100 * strip.zoom}%`;
        drawCurve();
        drawPieces();
        drawCuts();
        mark();
    }

    /** Another film. */
    function begin() {
        strip.drawn = scenes.data.list.film;
        Object.assign(strip, { at: Math.min(strip.at, scenes.frames() - 1), zoom: 1 });
        strip.film.src = server.address(`files?path=${encodeURIComponent(strip.drawn)}`);
        dom.show(strip.film, true);
        dom.show(strip.cannot, false);
        choose(scenes.state.cuts[0] || 0);
    }

    function line(points, name) {
        const made = document.createElementNS(SVG, "polyline");
        made.setAttribute("points", points);
        made.setAttribute("class", name);
        made.setAttribute("vector-effect", "non-scaling-stroke");
        return made;
    }

    function drawCurve() {
        const values = scenes.data.curve.likelihood, level = HEIGHT * (1 - scenes.data.list.settings.threshold);
        strip.curve.setAttribute("viewBox", `0 0 ${values.length} ${HEIGHT}`);
        const steps = values.map((value, index) => `${index},${HEIGHT * (1 - value)} ${index + 1},${HEIGHT * (1 - value)}`).join(" ");
        strip.curve.replaceChildren(line(`0,${level} ${values.length},${level}`, "wan-sc-level"), line(steps, "wan-sc-values"));
    }

    /** Pictures are kept while their frame is shown: drawing again asks for none anew. */
    function drawPieces() {
        const wide = strip.track.clientWidth / scenes.frames(), old = new Map([...strip.pieces.children].map((each) => [each.dataset.key, each]));
        dom.fill(strip.pieces, ...scenes.pieces().map((each, index) => {
            const seen = (each.end - each.start) * wide >= NARROW, key = `${scenes.state.list} ${each.start} ${seen}`;
            const made = old.get(key) || dom.el("div", { class: "wan-sc-piece", "data-key": key }, seen ? dom.el("img", { src: scenes.picture(each.start, 160), alt: "", loading: "lazy", draggable: "false" }) : null, dom.el("b"));
            made.style.left = share(each.start);
            made.style.width = share(each.end - each.start);
            made.classList.toggle("wan-sc-out", !each.kept);
            made.title = `Frames ${each.start} to ${each.end - 1}${each.kept ? "" : ", left out"}`;
            made.querySelector("b").textContent = seen ? String(index) : "";
            return made;
        }));
    }

    function drawCuts() {
        const focused = document.activeElement?.classList.contains("wan-sc-cut");
        dom.fill(strip.cuts, ...scenes.state.cuts.map((cut, index) => {
            const chosen = cut === strip.at;
            const made = dom.el("button", { type: "button", class: `wan-sc-cut${chosen ? " wan-sc-chosen" : ""}`, role: "slider", "data-cut": cut, "aria-label": `Cut ${index + 1}`, title: "Drag it, or move it with the arrow keys; Delete removes it", "aria-valuemin": 1, "aria-valuemax": scenes.frames() - 1,
                "aria-valuenow": cut, "aria-valuetext": `frame ${cut}`, tabindex: chosen || (index === 0 && !isCut()) ? "0" : "-1", onfocus: () => { if (!dragged && strip.at !== cut) choose(cut); }, onkeydown: onCutKey });
            made.style.left = share(cut);
            return made;
        }));
        if (focused && isCut()) handle()?.focus();
    }

    const handle = () => strip.cuts.querySelector(`[data-cut="${strip.at}"]`);

    /** Show which frame is chosen. */
    function mark() {
        strip.head.style.left = share(strip.at);
        const cut = isCut();
        strip.where.textContent = `${cut ? "Cut at frame" : "Frame"} ${strip.at} · ${scenes.secondsOf(strip.at).toFixed(2)} s`;
        strip.add.disabled = cut || strip.at === 0;
        strip.removing.disabled = !cut;
        strip.reset.disabled = !scenes.isEdited();
        strip.cuts.querySelectorAll(".wan-sc-cut").forEach((each) => each.classList.toggle("wan-sc-chosen", Number(each.dataset.cut) === strip.at));
        clearTimeout(look);
        look = setTimeout(drawLook, 180);
    }

    function drawLook() {
        if (!scenes.data) return;
        for (const [figure, frame, words] of [[strip.before, strip.at - 1, "before"], [strip.here, strip.at, isCut() ? "first of the new scene" : "chosen"]]) {
            figure.classList.toggle("wan-sc-none", frame < 0);
            if (frame < 0) continue;
            const source = scenes.picture(frame, 480), image = figure.firstChild;
            if (image.getAttribute("src") !== source) image.src = source;
            image.alt = figure.lastChild.textContent = `Frame ${frame}, ${words}`;
        }
    }

    // --------------------------------------------------------------------------------------------------- choosing

    function choose(frame) {
        strip.at = Math.min(scenes.frames() - 1, Math.max(0, Math.round(frame)));
        mark();
    }

    function frameOf(event) {
        const box = strip.track.getBoundingClientRect();
        return Math.round(((event.clientX - box.left) / box.width) * scenes.frames());
    }

    /** A cut under the pointer is dragged; elsewhere the place is chosen. */
    function onPress(event) {
        if (event.button !== 0) return;
        const cut = event.target.closest(".wan-sc-cut"), begin = event.clientX;
        choose(cut ? Number(cut.dataset.cut) : frameOf(event));
        if (cut) cut.focus(); else strip.track.focus({ preventScroll: true });
        event.preventDefault();
        dragged = cut ? strip.at : null;
        const moved = (next) => {
            if (cut && dragged === strip.at && Math.abs(next.clientX - begin) < 3) return;
            if (cut) strip.at = dragged = scenes.move(dragged, frameOf(next)); else choose(frameOf(next));
            if (cut) draw();
        };
        const done = () => {
            dragged = null;
            if (isCut()) { drawCuts(); handle()?.focus(); }
        };
        dom.drag(event, moved, done);
    }

    const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -24, PageUp: 24 };

    function onKey(event) {
        if (event.target !== strip.track || event.ctrlKey || event.metaKey || event.altKey) return;
        const ends = { Home: 0, End: scenes.frames() - 1 };
        if (event.key in KEYS) choose(strip.at + KEYS[event.key] * (event.shiftKey ? 10 : 1));
        else if (event.key in ends) choose(ends[event.key]);
        else if (event.key.toLowerCase() === "c") scenes.add(strip.at);
        else if (event.key === "Delete" || event.key === "Backspace") { if (isCut()) scenes.remove(strip.at); }
        else if (event.key === " ") play();
        else return;
        event.preventDefault();
        event.stopPropagation();
    }

    function onCutKey(event) {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const cut = strip.at;
        if (event.key in KEYS) { strip.at = scenes.move(cut, cut + KEYS[event.key] * (event.shiftKey ? 10 : 1)); draw(); handle()?.focus(); }
        else if (event.key === "Delete" || event.key === "Backspace") { scenes.remove(cut); strip.track.focus({ preventScroll: true }); }
        else if (event.key === " " || event.key === "Enter") play();
        else return;
        event.preventDefault();
        event.stopPropagation();
    }

    /** One frame on or back; a chosen cut moves along. */
    function nudge(by) {
        if (!isCut()) { choose(strip.at + by); return; }
        strip.at = scenes.move(strip.at, strip.at + by);
        draw();
    }

    /** To the next cut, or the one before. */
    function next(by) {
        const cuts = scenes.state.cuts, found = by > 0 ? cuts.find((cut) => cut > strip.at) : cuts.findLast((cut) => cut < strip.at);
        if (found === undefined) return;
        choose(found);
        drawCuts();
        const at = (strip.track.clientWidth * found) / scenes.frames();
        if (at < strip.scroll.scrollLeft || at > strip.scroll.scrollLeft + strip.scroll.clientWidth) strip.scroll.scrollLeft = at - strip.scroll.clientWidth / 2;
    }

    function zoom(by) {
        const middle = strip.at / scenes.frames();
        strip.zoom = Math.min(MOST_ZOOM, Math.max(1, strip.zoom * by));
        draw();
        strip.scroll.scrollLeft = middle * strip.track.clientWidth - strip.scroll.clientWidth / 2;
    }

    // ---------------------------------------------------------------------------------------------------- playing

    function play() {
        if (!strip.film.paused) { strip.film.pause(); return; }
        strip.film.currentTime = Math.max(0, scenes.secondsOf(strip.at) - BEFORE);
        strip.film.play().catch(() => {});
    }

    /** While the film plays, the place goes along. */
    function follow() {
        if (!scenes.data || strip.film.paused) return;
        strip.head.style.left = share(scenes.frameAt(strip.film.currentTime));
    }

    function cannotPlay() {
        if (!strip.film.getAttribute("src")) return;
        dom.show(strip.film, false);
        dom.show(strip.cannot, true);
    }

    Object.assign(strip, { make, draw, choose });
})();
