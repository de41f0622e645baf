/* The page Scenes: a film, the scenes that were found in it, cuts changed by hand, and their files.
 *
 * `state` is what the page holds; it is kept in the browser, so that a reload loses nothing. Cuts are frames, in order; a
 * cut is the first frame of the scene behind it. `out` holds the first frames of the pieces that are left out.
 */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, jobs, memory, strip, cards, scenes] =
        ["dom", "server", "jobs", "memory", "sceneStrip", "sceneCards", "scenes"].map(part);

    const KEPT = "wan_scenes";
    const POINTS = 1600; // of the curve
    const LOOK = 1500; // ms between looks at a job of the page's own

    /* film: what stands in the box.  list: path of the list that is shown.  job: the one that is waited for.
     * lists: of all films that were found.  asked: what stood in the box then. */
    const state = { film: "", list: "", job: "", lists: [], asked: "", cuts: null, out: [], settings: null };
    let back = null, waiting = "";

    scenes.data = null; // what the list and its curve hold, while they are shown

    function build(mount) {
        back = memory.wayBack(restoreState);
        try { Object.assign(state, JSON.parse(sessionStorage.getItem(KEPT)) || {}); } catch { /* not ours */ }
        scenes.box = dom.el("input", { class: "wan-input wan-sc-film", type: "text", id: "wan_scenes_film", value: state.film, placeholder: "path of a film, a folder of films, or a pattern such as films/*.mkv",
            "aria-label": "Film", oninput: () => { state.film = scenes.box.value; keep(); }, onkeydown: (event) => { if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) server.attempt(find); } });
        const picker = dom.el("input", { type: "file", accept: "video/*,.mkv,.ts", class: "wan-hidden", id: "wan_scenes_file", onchange: () => { const [file] = picker.files; picker.value = ""; if (file) server.attempt(() => upload(file)); } });
        scenes.pick = dom.button("Choose film", () => picker.click(), { id: "wan_scenes_pick", title: "A film of this computer; it is sent to the engine" });
        scenes.findButton = dom.button("Find scenes", () => server.attempt(find), { id: "wan_scenes_find", title: "Finds the cuts and shows them here; cuts no files" });
        scenes.films = dom.el("select", { class: "wan-select wan-hidden", id: "wan_scenes_films", "aria-label": "Film that is shown", onchange: () => server.attempt(() => open(scenes.films.value)) });
        scenes.words = dom.el("p", { class: "wan-quiet", "aria-live": "polite" });
        const box = dom.el("div", { class: "wan-panel wan-sc" }, dom.el("h3", { class: "wan-title", text: "Film" }),
            dom.el("div", { class: "wan-sc-head" }, scenes.box, scenes.pick, picker, scenes.findButton), scenes.films, scenes.words, strip.make(), cards.make());
        dom.fill(mount, box);
    }

    async function upload(file) {
        scenes.words.textContent = `${file.name} is being sent to the engine.`;
        try {
            take((await server.upload(file)).path);
        } finally {
            say();
        }
    }

    /** Another film: what was found in the one before goes. */
    function take(path) {
        scenes.box.value = path;
        Object.assign(state, { film: path, list: "", lists: [], job: "", cuts: null, out: [] });
        scenes.data = null;
        keep();
        draw();
    }

    // ------------------------------------------------------------------------------------------ cuts and pieces

    function frames() {
        return scenes.data ? scenes.data.list.frames : 0;
    }

    /** The pieces of the film in order: [start, end) in frames, and whether it becomes a file. */
    function pieces() {
        const edges = [0, ...state.cuts, frames()];
        return edges.slice(1).map((end, index) => ({ start: edges[index], end, kept: !state.out.includes(edges[index]) }));
    }

    /** Cuts and pieces left out as the list has them: a gap between two scenes is a piece that is left out. */
    function found() {
        const edges = new Set(), out = [], all = scenes.data.list.scenes;
        let before = 0;
        for (const { start, end } of [...all, { start: frames(), end: frames() }]) {
            if (start > before) out.push(before);
            edges.add(start).add(end);
            before = end;
        }
        return { cuts: [...edges].filter((edge) => edge > 0 && edge < frames()).sort((one, other) => one - other), out };
    }

    function isEdited() {
        const { cuts, out } = found();
        return cuts.join() !== state.cuts.join() || out.join() !== [...state.out].sort((one, other) => one - other).join();
    }

    /** Move a cut; its neighbours stop it. Gives where it lies now. */
    function move(cut, frame) {
        const at = state.cuts.indexOf(cut), before = state.cuts[at - 1] ?? 0, after = state.cuts[at + 1] ?? frames();
        const to = Math.min(after - 1, Math.max(before + 1, Math.round(frame)));
        state.cuts[at] = to;
        state.out = state.out.map((start) => (start === cut ? to : start));
        edited();
        return to;
    }

    function add(frame) {
        if (frame <= 0 || frame >= frames() || state.cuts.includes(frame)) return;
        const inside = pieces().find((each) => each.start < frame && frame < each.end);
        state.cuts = [...state.cuts, frame].sort((one, other) => one - other);
        if (!inside.kept) state.out.push(frame);
        edited();
    }

    function remove(cut) {
        state.cuts = state.cuts.filter((each) => each !== cut);
        state.out = state.out.filter((each) => each !== cut);
        edited();
    }

    function setKept(start, kept) {
        state.out = kept ? state.out.filter((each) => each !== start) : [...state.out, start];
        edited();
    }

    function reset() {
        Object.assign(state, found());
        edited();
    }

    function edited() {
        keep();
        draw();
    }

    /** When a frame is shown, in seconds: exact at the curve's points, straight between them. */
    function secondsOf(frame) {
        const { seconds } = scenes.data.curve, place = (frame / frames()) * (seconds.length - 1), at = Math.min(Math.floor(place), seconds.length - 2);
        return seconds[at] + (seconds[at + 1] - seconds[at]) * (place - at);
    }

    function frameAt(second) {
        const { seconds } = scenes.data.curve, found = seconds.findIndex((each) => each > second), at = found < 0 ? seconds.length - 2 : Math.max(0, found - 1);
        const share = (second - seconds[at]) / (seconds[at + 1] - seconds[at] || 1);
        return Math.min(frames() - 1, Math.max(0, Math.floor(((at + share) / (seconds.length - 1)) * frames() + 0.001)));
    }

    function picture(frame, side) {
        return server.address(`scenes/frame?path=${encodeURIComponent(state.list)}&number=${frame}&side=${side}`);
    }

    // ---------------------------------------------------------------------------------------------- what is done

    /** What stands in the box, without the quotes that file managers put around paths. */
    const given = () => state.film.trim().replace(/^["']|["']$/g, "");

    async function order(more, listOnly = false) {
        const film = given();
        if (!film) { scenes.box.focus(); return []; }
        const { answer } = await server.ask("scenes_send", { action: "split", order: { films: [film], ...more }, settings: { list_only: listOnly } });
        if (!answer) return [];
        Object.assign(state, { job: answer.id, asked: film });
        keep();
        wait();
        return [answer];
    }

    function find() {
        return jobs.begin(() => order({}, true), true);
    }

    /** What is shown is what is cut; without it the engine finds the scenes first. Of several films all are cut, but for
     * one with cuts changed by hand, which is cut alone. */
    function generate(watch) {
        const film = scenes.data?.list.film, shown = film && (film === given() || (state.asked === given() && isEdited()));
        return jobs.begin(() => order(shown ? { films: [film], scenes: pieces().filter((each) => each.kept).map(({ start, end }) => [start, end]) } : {}), watch);
    }

    /** Wait for the page's own job, whatever else is watched, and show what it has found. */
    async function wait() {
        if (!state.job || waiting === state.job) return;
        const id = (waiting = state.job);
        say();
        while (waiting === id) {
            const job = await server.api(`jobs/${id}`).catch((error) => (error.status === 404 ? { state: "gone" } : null));
            if (job && (job.state === "gone" || jobs.hasEnded(job))) {
                waiting = "";
                if (state.job !== id) return;
                state.job = "";
                if (job.state === "done") await server.attempt(() => ended(job));
                keep();
                break;
            }
            await dom.pause(LOOK);
        }
        say();
    }

    async function ended(job) {
        const lists = job.result.films.filter((each) => each.list).map((each) => each.list), before = state.list;
        if (!lists.length) return;
        // One of several films is cut alone, the others stay.
        if (!lists.every((list) => state.lists.includes(list))) state.lists = lists;
        // Of files that were just made the cuts are those that the list has.
        await open(lists.includes(before) ? before : lists[0]);
    }

    async function open(list, kept = null) {
        scenes.data = await server.api(`scenes?path=${encodeURIComponent(list)}&points=${POINTS}`);
        Object.assign(state, { list }, kept || found());
        if (state.lists.length < 2) scenes.box.value = state.film = scenes.data.list.film;
        keep();
        draw();
    }

    // --------------------------------------------------------------------------------------------------- the page

    function keep() {
        try { sessionStorage.setItem(KEPT, JSON.stringify(state)); } catch { /* full, or not allowed: then a reload begins anew */ }
    }

    function say() {
        const words = [];
        if (state.job) words.push("The film is being worked on; the job tells how far it is.");
        else if (scenes.data) {
            const all = pieces(), kept = all.filter((each) => each.kept).length;
            words.push(dom.plural(kept, "scene"), `${frames()} frames`, dom.duration(secondsOf(frames())), scenes.data.list.detector || "cut by hand");
            if (kept < all.length) words.push(`${all.length - kept} left out`);
            if (isEdited()) words.push(state.lists.length > 1 ? "changed by hand, so that Split cuts it alone" : "changed by hand");
        } else words.push("Find scenes shows the cuts first; Split finds and cuts in one go.");
        scenes.words.textContent = words.join(" · ");
        scenes.findButton.disabled = Boolean(state.job);
    }

    function draw() {
        dom.show(scenes.films, state.lists.length > 1);
        dom.fill(scenes.films, ...state.lists.map((list) => dom.el("option", { value: list, text: list.split(/[\\/]/).pop(), selected: list === state.list })));
        say();
        strip.draw();
        cards.draw();
    }

    async function restoreState() {
        const { cuts, out, settings, list } = state;
        if (settings) await server.ask("scenes_fill", { settings });
        if (list) await open(list, cuts ? { cuts, out } : null).catch(() => take(state.film));
        draw();
    }

    async function shown() {
        await back.go();
        wait();
    }

    let noting = null;

    /** A control of the form has another value: it is kept for the next load of the page. */
    function changed() {
        if (!back.done) return;
        clearTimeout(noting);
        noting = setTimeout(async () => {
            state.settings = (await server.ask("scenes_read", {})).settings || state.settings;
            keep();
        }, 600);
    }

    /** A job's settings and film back into the page. */
    async function restore(given) {
        back.done = true;
        const { films, scenes: spans, ...settings } = given;
        take(films[0]);
        const answer = await server.ask("scenes_fill", { settings });
        changed();
        return !answer.failed;
    }

    /** The box of a problem's place. */
    function findBox({ field }) {
        return ["films", "scenes", "path"].includes(field) ? scenes.box : null;
    }

    Object.assign(scenes, { build, state, frames, pieces, isEdited, move, add, remove, setKept, reset, secondsOf, frameAt, picture, take, restore, find: findBox, changed, shown, generate,
        hint: "Choose a film, look at its scenes, then press Split." });
})();
