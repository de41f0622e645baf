/* The page Storyboard: a long prompt is planned into segments between keyframes, the keyframes get pictures, the film is
 * rendered between them.
 *
 * `state.story` is the storyboard as its file has it (docs/storyboard.md), without film and pictures, which the form
 * holds. While a job of the page works on it nothing else may change it.
 */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, engine, form, timeline, tools, jobs, memory, result, ask, strip, own, storyboard] =
        ["dom", "server", "engine", "form", "timeline", "tools", "jobs", "memory", "result", "storyAsk", "storyStrip", "storyOwn", "storyboard"].map(part);

    const KEPT = "wan_storyboard";
    const SECONDS = 3; // of a new segment
    const EMPTY = { title: "", style: "", characters: [], continuity: "", opening: { description: "" }, segments: [] };

    /* ask: what is wanted of the planner.  job: that works on the storyboard now.  file: the engine's own of it.
     * used: what planning it took, in words. */
    const state = { ask: { text: "", seconds: "", segments: "", planner: "splitter", upto: "storyboard" }, story: structuredClone(EMPTY), job: "", file: "", used: "" };
    let plan = null, kept = null, back = null;

    function build(mount) {
        kept = memory.recall(KEPT);
        back = memory.wayBack(restoreForm);
        if (kept && Array.isArray(kept.story?.segments)) Object.assign(state, { ask: { ...state.ask, ...kept.ask }, story: whole(kept.story), job: String(kept.job || ""), file: String(kept.file || ""), used: String(kept.used || "") });
        dom.fill(mount, ask.make(), strip.make());
        draw();
    }

    /** A storyboard with every part that the page looks at, whatever came in. */
    function whole(story) {
        const keyframe = (each) => (typeof each === "string" ? { description: each } : { description: "", ...(each || {}) });
        const segments = (story.segments || []).map((each) => ({ prompt: "", camera: "", ...each, seconds: Number(each.seconds) || SECONDS, last: keyframe(each.last) }));
        const { kind, version, film, pictures, ...rest } = story;
        return { ...structuredClone(EMPTY), ...rest, opening: keyframe(story.opening), segments };
    }

    // ------------------------------------------------------------------------------------------------ what it is

    const keyframes = () => [state.story.opening, ...state.story.segments.map((each) => each.last)];
    const startOf = (number) => state.story.segments.slice(0, number).reduce((sum, each) => sum + each.seconds, 0);
    const isApproved = () => state.story.segments.length > 0 && keyframes().every((each) => each.image && each.locked);
    const missing = () => keyframes().filter((each) => !each.image).length;
    const isBusy = () => Boolean(state.job);

    /** The whole storyboard with what the form says. */
    async function project() {
        const { film, pictures } = await server.ask("storyboard_read", {});
        return { kind: "storyboard", ...state.story, text: state.story.text || state.ask.text, film, pictures };
    }

    // ---------------------------------------------------------------------------------------------- what is done

    function edited() {
        strip.draw();
        changed();
    }

    /** A box was left that has changed what is drawn. */
    function left() {
        dom.afterLeaving(edited);
    }

    function move(from, to) {
        const list = state.story.segments;
        if (to < 0 || to >= list.length || from === to) return;
        list.splice(to, 0, ...list.splice(from, 1));
        edited();
    }

    function insert(index) {
        state.story.segments.splice(index, 0, { prompt: "", camera: "", seconds: SECONDS, last: { description: "" } });
        edited();
    }

    function remove(index) {
        state.story.segments.splice(index, 1);
        edited();
    }

    function setSeconds(index, seconds, drawn = edited) {
        if (Number.isFinite(seconds) && seconds > 0) state.story.segments[index].seconds = Math.round(seconds * 1000) / 1000;
        drawn();
    }

    /** Richer words for a segment, by the language model; the old ones are told, to be taken back. */
    async function enhance(index) {
        const each = state.story.segments[index];
        const { prompt } = await server.api("storyboards/enhance", { method: "POST", body: { prompt: each.prompt } });
        const before = each.prompt; // it may have been written on meanwhile
        each.prompt = prompt;
        edited();
        server.tell([{ message: `Segment ${index + 1} said before: ${before}` }], "wan-news");
    }

    function lock(number, locked) {
        keyframes()[number].locked = locked;
        edited();
    }

    /** All pictures are as wanted: none is made again. */
    function approve() {
        keyframes().forEach((each) => { if (each.image) each.locked = true; });
        edited();
    }

    async function ownPicture(number, file) {
        Object.assign(keyframes()[number], { image: (await server.upload(file)).path, locked: true });
        edited();
    }

    function clear() {
        Object.assign(state, { story: structuredClone(EMPTY), file: "", used: "" });
        draw();
        changed();
    }

    // ------------------------------------------------------------------------------------------------- its jobs

    async function begin(path, body) {
        await jobs.begin(async () => {
            const job = await server.api(path, { method: "POST", body });
            state.job = job.id;
            draw();
            changed();
            look();
            return [job];
        }, true);
    }

    async function planStory() {
        const { film, pictures } = await server.ask("storyboard_read", {});
        const { text, planner, upto } = state.ask;
        state.used = "";
        await begin("storyboards", { text, planner, upto, seconds: dom.number(state.ask.seconds) ?? 0, segments: dom.number(state.ask.segments) ?? 0, film, pictures });
        state.file = "";
    }

    async function work(upto, redo) {
        const body = { storyboard: await project(), upto, redo: redo || [], file: state.file };
        try {
            await begin("keyframes", body);
        } catch (error) {
            // The engine's file may be gone; the storyboard is all there is to it.
            if (!state.file || !error.problems?.some((each) => each.field === "file")) throw error;
            state.file = "";
            await begin("keyframes", { ...body, file: "" });
        }
    }

    async function generate() {
        if (isBusy()) throw new Error("The storyboard is being worked on: wait, or interrupt it");
        if (!state.story.segments.length) {
            if (!state.ask.text.trim()) { ask.text.focus(); throw new Error("There is no storyboard yet: write a long prompt and press Plan"); }
            await planStory();
            return;
        }
        if (!isApproved()) {
            const count = missing();
            const remedy = count ? "Press Make pictures, look at them, then press Approve." : "Look at the pictures, then press Approve, which locks them.";
            server.tell([{ message: count ? `${dom.plural(count, "keyframe")} ${count === 1 ? "has" : "have"} no picture yet.` : "The storyboard is not approved yet.", remedy }]);
            return;
        }
        await work("film");
    }

    /** An event of a job: the storyboard as far as it is planned, a picture that was made. */
    function hear(event, job) {
        if (job.id !== state.job) return;
        const data = event.data || {};
        if (event.kind === "storyboard" && data.storyboard) state.story = whole(data.storyboard);
        else if (event.kind === "usage") state.used = event.message;
        else if (event.kind === "keyframe_done" && keyframes()[data.number]) keyframes()[data.number].image = data.image;
        else return;
        draw();
        changed();
    }

    /** A job has ended: what it made is the page's. */
    function ended(job) {
        if (job.id !== state.job) return;
        const made = job.result || {};
        if (made.storyboard) state.story = whole(made.storyboard);
        if (made.usage) state.used = made.usage.words;
        Object.assign(state, { job: "", file: String(made.file || state.file) });
        draw();
        changed();
    }

    let looking = false;

    /** Look at the page's job until it has ended, also while another one is watched, and after a reload. */
    async function look() {
        if (looking) return;
        looking = true;
        for (let last = 0, id = ""; state.job; await dom.pause(server.POLL_RUNNING)) {
            if (id !== state.job) { last = 0; id = state.job; }
            if (!engine.running || (result.id === id && result.job)) continue; // then its events come by themselves
            try {
                const job = await server.api(`jobs/${id}`); // before its events: of a job that has ended all are heard
                for (const event of await server.api(`jobs/${id}/events?after=${last}`)) { last = event.number; hear(event, { id }); }
                if (jobs.hasEnded(job)) ended(job);
            } catch (error) {
                if (error.status === 404) ended({ id });
            }
        }
        looking = false;
    }

    // ------------------------------------------------------------------------------------------------- the page

    function draw() {
        ask.draw();
        strip.draw();
    }

    function keep(values) {
        if (values) kept = { ...kept, form: values };
        kept = { ...kept, ...state };
        memory.keep(KEPT, kept);
    }

    function changed() {
        plan = plan || timeline.live("storyboard_plan", "#wan_storyboard_timeline", () => ({ storyboard: state.story }), (answer) => keep(back.done ? answer.form : null));
        keep();
        plan.changed();
    }

    async function restoreForm() {
        if (kept?.form) await server.ask("storyboard_fill", kept.form);
    }

    async function shown() {
        await back.go();
        draw();
        ask.shown();
        look();
        changed();
    }

    async function take(given) {
        const pictures = given.filter((each) => each.type.startsWith("image/")), [file] = given.filter((each) => !each.type.startsWith("image/"));
        if (!file) throw new Error("Choose the storyboard's file, with its pictures if they are not where it says");
        const read = await server.api("storyboards/read", { method: "POST", body: { project: await file.text(), name: file.name } });
        const story = whole(read.storyboard);
        for (const each of [story.opening, ...story.segments.map((segment) => segment.last)]) {
            const picture = pictures.find((one) => each.image && one.name === each.image.split(/[\\/]/).pop());
            if (picture) each.image = (await server.upload(picture)).path;
        }
        Object.assign(state, { story, job: "", file: "", used: "" });
        state.ask.text = story.text || state.ask.text;
        back.done = true;
        await server.ask("storyboard_fill", { film: read.storyboard.film, pictures: read.storyboard.pictures });
        tools.tellOf(`Taken in: ${file.name}.`, read.notes);
        draw();
        changed();
    }

    const files = {
        accept: ".yaml,.yml,.json,image/*", many: true, take,
        title: "A storyboard's file, with its pictures if they are not where it says",
        exports: [{ id: "wan_storyboard_export", text: "Export", title: "The storyboard as a file", give: async () => {
            const read = await server.api("storyboards/read", { method: "POST", body: { storyboard: await project() } });
            tools.save("story.yaml", read.project, []);
        } }],
    };

    /** The storyboard of a job, to be gone on with. */
    async function restore(job) {
        const story = job.result?.storyboard || job.settings.storyboard;
        back.done = true;
        const { ask: asked, planner, upto } = job.settings;
        if (asked) Object.assign(state.ask, { text: asked.text, seconds: `${asked.seconds || ""}`, segments: `${asked.segments || ""}`, planner, upto });
        Object.assign(state, { story: whole(story || EMPTY), job: "", file: String(job.settings.file || ""), used: job.result?.usage?.words || "" });
        const { film = {}, pictures = {} } = story || job.settings.ask || {};
        await server.ask("storyboard_fill", { film, pictures });
        draw();
        changed();
        return true;
    }

    function ofKeyframe(number, name) {
        const found = ["seed", "strength", "mask"].includes(name) ? strip.box(`keyframe-${number}-${name}`) : null;
        if (found) own.open(number);
        return found || strip.box(`keyframe-${number}`);
    }

    /** The box of a problem's place. */
    function find({ field, key }) {
        const [first, ...rest] = field.split("."), name = rest.at(-1), number = Number(key);
        if (first === "text" || first === "seconds") return ask[first];
        if (first === "opening" || (first === "segments" && rest[0] === "last")) return ofKeyframe(number, name);
        if (first === "segments") return strip.box(`segment-${number || 1}-${name === "seconds" ? "seconds" : "prompt"}`) || ask.count;
        if (first === "pictures" || field === "provider") return dom.inTab(`#wan_pictures_${CSS.escape(name || field)} input`);
        return first === "film" && name ? form.input(name) : null;
    }

    Object.assign(storyboard, { build, state, keyframes, startOf, isApproved, isBusy, missing, enhance, left, move, insert, remove, setSeconds, lock, approve, ownPicture, clear, planStory, work,
        hear, ended, find, restore, changed, shown, generate, files, hint: "Write a long prompt, plan it, look at the pictures, approve them, then press Render." });
})();
