/* The page Outpaint: a film on the canvas that it is to fill, moved and enlarged by hand, and what is to be made anew.
 *
 * What is drawn is the engine's own answer: the canvas and the mask as the model is shown them.
 */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, form, jobs, memory, outpaint] = ["dom", "server", "form", "jobs", "memory", "outpaint"].map(part);

    const KEPT = "wan_outpaint";
    const REST = 450; // ms without a change after which the canvas is asked for
    const SIDES = ["left", "right", "top", "bottom"];
    const NO_SIZE = { target_width: 0, target_height: 0, aspect: "", left: 0, right: 0, top: 0, bottom: 0 };
    const VIEWS = { canvas: "Canvas", mask: "Mask", before: "Film" };
    const MOST = 400; // per cent of a side

    const state = { film: "", frame: 0, view: "canvas", settings: null };
    let seen = null, asking = null, round = 0, back = null, drawing = false;

    function build(mount) {
        back = memory.wayBack(restoreForm);
        try { Object.assign(state, JSON.parse(sessionStorage.getItem(KEPT)) || {}); } catch { /* not ours */ }
        outpaint.box = dom.el("input", { class: "wan-input wan-sc-film", type: "text", id: "wan_outpaint_film", value: state.film, placeholder: "path of a film", "aria-label": "Film", onchange: () => take(outpaint.box.value) });
        const picker = dom.el("input", { type: "file", accept: "video/*,.mkv,.ts", class: "wan-hidden", id: "wan_outpaint_file", onchange: () => { const [file] = picker.files; picker.value = ""; if (file) server.attempt(async () => take((await server.upload(file)).path)); } });
        outpaint.frame = dom.el("input", { class: "wan-input wan-op-frame", type: "number", min: "0", step: "1", value: state.frame, id: "wan_outpaint_frame", "aria-label": "Frame that is shown", onchange: () => { state.frame = Math.max(0, Math.round(Number(outpaint.frame.value)) || 0); changed(); } });
        outpaint.picture = dom.el("img", { class: "wan-op-picture", alt: "", draggable: "false" });
        outpaint.source = dom.el("div", { class: "wan-op-source", id: "wan_outpaint_source", tabindex: "0", role: "group", "aria-label": "The film on the canvas: drag it, or move it with the arrow keys", onpointerdown: onPress, onkeydown: onKey });
        outpaint.edges = SIDES.map((side) => dom.el("button", { type: "button", class: `wan-op-edge wan-op-${side}`, "data-side": side, role: "slider", "aria-label": `Added at the ${side}, per cent`, title: `Drag, or use the arrow keys: what is added at the ${side}`, onpointerdown: onPress, onkeydown: onKey }));
        outpaint.marked = dom.el("div", { class: "wan-op-box wan-hidden" });
        outpaint.stage = dom.el("div", { class: "wan-op-stage", onpointerdown: onDraw }, outpaint.picture, outpaint.source, ...outpaint.edges, outpaint.marked);
        outpaint.views = dom.el("select", { class: "wan-select", id: "wan_outpaint_view", "aria-label": "What is shown", onchange: () => { state.view = outpaint.views.value; keep(); draw(); } },
            ...Object.entries(VIEWS).map(([value, text]) => dom.el("option", { value, text, selected: value === state.view })));
        outpaint.draw = dom.button("Draw a box", () => setDrawing(!drawing), { id: "wan_outpaint_draw", "aria-pressed": "false", title: "Inpainting: what is inside the box is made anew, the film keeps its size" });
        outpaint.clear = dom.button("No box", () => server.attempt(() => write({ box: "" })), { id: "wan_outpaint_clear", title: "Takes the box away" });
        outpaint.preview = dom.button("Preview", () => server.attempt(preview), { id: "wan_outpaint_preview", title: "Makes the shown frame alone, and shows it with its canvas and mask" });
        outpaint.words = dom.el("p", { class: "wan-quiet", "aria-live": "polite" });
        outpaint.notes = dom.el("ul", { class: "wan-quiet" });
        outpaint.whole = dom.el("div", { class: "wan-op wan-hidden" }, dom.el("div", { class: "wan-op-room" }, outpaint.stage),
            dom.el("div", { class: "wan-sc-bar" }, outpaint.views, dom.el("label", { class: "wan-sc-where" }, "Frame ", outpaint.frame), dom.el("span", { class: "wan-space" }), outpaint.draw, outpaint.clear, outpaint.preview));
        dom.fill(mount, dom.el("div", { class: "wan-panel" }, dom.el("h3", { class: "wan-title", text: "Film" }),
            dom.el("div", { class: "wan-sc-head" }, outpaint.box, dom.button("Choose film", () => picker.click(), { id: "wan_outpaint_pick", title: "A film of this computer; it is sent to the engine" }), picker), outpaint.whole, outpaint.words, outpaint.notes));
        draw();
    }

    function take(path) {
        outpaint.box.value = state.film = path.trim().replace(/^["']|["']$/g, "");
        state.frame = outpaint.frame.value = 0;
        seen = null;
        round += 1; // what is still asked about the film before is not shown
        keep();
        draw();
        changed();
    }

    // ------------------------------------------------------------------------------------------------ what is seen

    async function look() {
        if (!state.film) return;
        const mine = (round += 1);
        outpaint.stage.classList.add("wan-stale");
        const { settings } = await server.ask("outpaint_read", {});
        state.settings = settings || state.settings;
        keep();
        const { answer } = await server.ask("outpaint_send", { action: "look", order: { film: state.film, frame: state.frame } });
        if (mine !== round) return;
        outpaint.stage.classList.remove("wan-stale");
        if (answer) seen = answer;
        else if (!seen) seen = await film();
        draw();
    }

    /** Where the settings make no canvas of it: the film alone, to draw a box on. */
    async function film() {
        const settings = { ...state.settings, ...NO_SIZE, mask: "", box: "0,0,16,16" };
        const found = await server.api("outpaints/look", { method: "POST", body: { film: state.film, frame: state.frame, settings } }).catch(() => null);
        const before = found?.pictures.before;
        return found && { ...found, notes: [], pictures: { before, canvas: before, mask: before } };
    }

    function draw() {
        dom.show(outpaint.whole, Boolean(seen));
        dom.fill(outpaint.notes, ...(seen ? seen.notes.map((text) => dom.el("li", { text })) : []));
        if (!seen) { outpaint.words.textContent = state.film ? "" : "Choose a film: its canvas is shown here."; return; }
        const { width, height, kept, pictures } = seen, per = (part, whole) => `${(100 * part) / whole}%`;
        outpaint.stage.style.aspectRatio = `${width} / ${height}`;
        outpaint.stage.style.maxWidth = `${Math.round((440 * width) / height)}px`;
        outpaint.picture.src = pictures[state.view] || pictures.canvas;
        outpaint.picture.alt = `${VIEWS[state.view]} of frame ${state.frame}`;
        // The film alone lies where it will lie; canvas and mask are of the whole picture.
        Object.assign(outpaint.picture.style, state.view === "before" ? place(kept, per) : { left: "0", top: "0", width: "100%", height: "100%" });
        Object.assign(outpaint.source.style, place(kept, per));
        for (const edge of outpaint.edges) edge.setAttribute("aria-valuenow", Math.round(100 * percent(edge.dataset.side)) / 100);
        const inside = isInpaint();
        dom.show(outpaint.source, !inside);
        outpaint.edges.forEach((edge) => dom.show(edge, !inside));
        drawBox(boxOf(form.valueOf("box")));
        outpaint.clear.disabled = !form.valueOf("box");
        const chunks = `${dom.plural(seen.chunks, "chunk")} of ${seen.chunk_frames} frames`;
        outpaint.words.textContent = [`${width} × ${height}`, inside ? "" : `the film ${kept.width} × ${kept.height} at ${kept.left}, ${kept.top}`, `${seen.frames} frames`, chunks, dom.plural(seen.steps, "step"), seen.model].filter(Boolean).join(" · ");
    }

    function place(kept, per) {
        return { left: per(kept.left, seen.width), top: per(kept.top, seen.height), width: per(kept.width, seen.width), height: per(kept.height, seen.height) };
    }

    /** What is added at a side now, in per cent of the film's own size on the canvas. */
    function percent(side) {
        const { width, height, kept } = seen;
        const added = { left: kept.left, top: kept.top, right: width - kept.left - kept.width, bottom: height - kept.top - kept.height }[side];
        return (100 * added) / (side === "left" || side === "right" ? kept.width : kept.height);
    }

    const isInpaint = () => Boolean(form.valueOf("box") || form.valueOf("mask"));

    function boxOf(text) {
        const numbers = text.split(",").map(Number);
        return numbers.length === 4 && numbers.every(Number.isFinite) ? numbers : null;
    }

    function drawBox(box) {
        dom.show(outpaint.marked, Boolean(box) && Boolean(seen));
        if (!box || !seen) return;
        const [left, top, width, height] = box, per = (part, whole) => `${(100 * part) / whole}%`;
        Object.assign(outpaint.marked.style, { left: per(left, seen.width), top: per(top, seen.height), width: per(width, seen.width), height: per(height, seen.height) });
    }

    // -------------------------------------------------------------------------------------------------- by hand

    /** Put values into the form, all at once. */
    async function write(values) {
        const { settings } = await server.ask("outpaint_read", {});
        await server.ask("outpaint_fill", { settings: { ...settings, ...values } });
        changed();
    }

    const rounded = (value) => Math.min(MOST, Math.max(0, Math.round(value * 10) / 10));

    /** The four sides as they are, changed at one of them, or moved from one to the other. */
    function sides(changes) {
        const all = Object.fromEntries(SIDES.map((side) => [side, rounded(percent(side))]));
        return { ...NO_SIZE, ...all, ...Object.fromEntries(Object.entries(changes).map(([side, value]) => [side, rounded(value)])) };
    }

    /** Move the film on the canvas by parts of its own size; the canvas stays as large as it is. */
    function moved(across, down) {
        const [left, right, top, bottom] = SIDES.map(percent), x = Math.min(right, Math.max(-left, 100 * across)), y = Math.min(bottom, Math.max(-top, 100 * down));
        return sides({ left: left + x, right: right - x, top: top + y, bottom: bottom - y });
    }

    const OUT = { left: [-1, 0], right: [1, 0], top: [0, -1], bottom: [0, 1] };

    function pulled(side, across, down) {
        const [x, y] = OUT[side];
        return sides({ [side]: percent(side) + 100 * (x * across + y * down) });
    }

    /** Drag the film, or an edge; the form follows when it is let go. */
    function onPress(event) {
        if (event.button !== 0 || drawing || !seen) return;
        event.preventDefault();
        event.stopPropagation();
        const held = event.currentTarget, side = held.dataset.side, film = outpaint.source.getBoundingClientRect(), begin = [event.clientX, event.clientY];
        held.focus({ preventScroll: true });
        let across = 0, down = 0;
        const move = (next) => {
            across = (next.clientX - begin[0]) / film.width;
            down = (next.clientY - begin[1]) / film.height;
            held.style.transform = side ? `translate(${Math.abs(OUT[side][0]) * (next.clientX - begin[0])}px, ${Math.abs(OUT[side][1]) * (next.clientY - begin[1])}px)` : `translate(${next.clientX - begin[0]}px, ${next.clientY - begin[1]}px)`;
        };
        const done = () => {
            held.style.transform = "";
            if (across || down) server.attempt(() => write(side ? pulled(side, across, down) : moved(across, down)));
        };
        dom.drag(event, move, done);
    }

    const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

    function onKey(event) {
        const by = KEYS[event.key], side = event.currentTarget.dataset.side;
        if (!by || event.ctrlKey || event.metaKey || event.altKey || !seen) return;
        event.preventDefault();
        const step = event.shiftKey ? 0.1 : 0.01;
        server.attempt(() => write(side ? pulled(side, by[0] * step, by[1] * step) : moved(by[0] * step, by[1] * step)));
    }

    function setDrawing(on) {
        drawing = on;
        outpaint.draw.setAttribute("aria-pressed", String(on));
        outpaint.stage.classList.toggle("wan-op-drawing", on);
        // A box is drawn on the film itself: what is added around it goes.
        if (on && !isInpaint()) server.attempt(() => write({ ...NO_SIZE, box: middle() }));
    }

    /** The middle of the film, to begin with. */
    function middle() {
        const { kept } = seen;
        return [kept.width / 4, kept.height / 4, kept.width / 2, kept.height / 2].map(Math.round).join(",");
    }

    function onDraw(event) {
        if (!drawing || event.button !== 0 || !seen) return;
        event.preventDefault();
        const room = outpaint.stage.getBoundingClientRect();
        const at = (next) => [Math.min(1, Math.max(0, (next.clientX - room.left) / room.width)) * seen.width, Math.min(1, Math.max(0, (next.clientY - room.top) / room.height)) * seen.height];
        const from = at(event);
        let box = null;
        const move = (next) => {
            const to = at(next);
            box = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])].map(Math.round);
            drawBox(box);
        };
        const done = () => {
            if (!box || box[2] < 1 || box[3] < 1) return;
            setDrawing(false);
            server.attempt(() => write({ box: box.join(",") }));
        };
        dom.drag(event, move, done);
    }

    // --------------------------------------------------------------------------------------------------- the page

    function order(more) {
        return async () => {
            if (!state.film) { outpaint.box.focus(); return []; }
            const { answer } = await server.ask("outpaint_send", { action: "outpaint", order: { film: state.film, ...more } });
            return answer ? [answer] : [];
        };
    }

    function preview() {
        return jobs.begin(order({ preview: true, frame: state.frame }), true);
    }

    function generate(watch) {
        return jobs.begin(order({}), watch);
    }

    function keep() {
        try { sessionStorage.setItem(KEPT, JSON.stringify(state)); } catch { /* full, or not allowed: then a reload begins anew */ }
    }

    function changed() {
        if (!back.done) return;
        clearTimeout(asking);
        asking = setTimeout(() => server.attempt(look), REST);
    }

    async function restoreForm() {
        if (state.settings) await server.ask("outpaint_fill", { settings: state.settings });
    }

    async function shown() {
        await back.go();
        changed();
    }

    /** A job's settings and film back into the page. */
    async function restore(given) {
        const { film, cuts, preview: one, frame, output, ...settings } = given;
        back.done = true;
        const answer = await server.ask("outpaint_fill", { settings });
        take(film);
        state.frame = outpaint.frame.value = frame || 0;
        return !answer.failed;
    }

    /** The box of a problem's place. */
    function find({ field }) {
        return { film: outpaint.box, frame: outpaint.frame }[field] || null;
    }

    Object.assign(outpaint, { build, take, restore, find, changed, shown, generate, hint: "Choose a film, say what the whole picture shows, then press Outpaint." });
})();
