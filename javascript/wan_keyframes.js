/* The page Keyframes: pictures at times, a prompt for all and one for each segment between two pictures.
 *
 * `state` is the page's project in the words of config.yaml; it is kept in the browser, so that a reload loses nothing.
 * Pictures stay in order of time: whoever changes a time past another picture changes their order.
 */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, form, timeline, tools, jobs, memory, track, rows, keyframes] =
        ["dom", "server", "form", "timeline", "tools", "jobs", "memory", "keyframeTrack", "keyframeRows", "keyframes"].map(part);

    const KEPT = "wan_keyframes";
    const APART = 3; // seconds between a new picture and the one before: amid the advice of 1.5 to 4
    const SHORT = 32, LONG = 100; // film frames of a segment under which it gets stiff, above which it drifts
    const USUAL_RATE = 24;

    let nextId = 1, plan = null, back = null, openAtLoad = false;
    const state = { keyframes: [], prompt: "", subs: [] };

    function build(mount) {
        openAtLoad = sessionStorage.getItem("wan_page") === "keyframes";
        load();
        back = memory.wayBack(restoreForm);
        keyframes.prompt = dom.el("textarea", { class: "wan-input", rows: "2", id: "wan_keyframes_all", placeholder: "oil painting of a harbour", oninput: () => { state.prompt = keyframes.prompt.value; track.draw(); changed(); } });
        const picker = dom.el("input", { type: "file", accept: "image/*", multiple: true, class: "wan-hidden", id: "wan_keyframes_files", onchange: () => { const files = [...picker.files]; picker.value = ""; server.attempt(() => addFiles(files)); } });
        const path = dom.el("input", { class: "wan-input", type: "text", id: "wan_keyframes_path", placeholder: "or the path of a picture", "aria-label": "Path of a picture", onkeydown: (event) => { if (event.key === "Enter") addPath(path); } });
        const head = dom.el("div", { class: "wan-head wan-kf-head" }, dom.el("h3", { class: "wan-title", text: "Keyframes" }), dom.el("span", { class: "wan-space" }),
            dom.button("Add pictures", () => picker.click(), { id: "wan_keyframes_add", title: "Pictures of this computer; they may be dropped here too" }), picker, path, dom.button("Add path", () => addPath(path), { id: "wan_keyframes_add_path", title: "Adds the picture at this path" }));
        const all = dom.el("label", { class: "wan-field", title: "What is seen in the whole film; what is written for a segment is added to it." }, dom.el("span", { class: "wan-label", text: "Prompt of all segments" }), keyframes.prompt);
        const box = dom.el("div", { class: "wan-panel wan-kf" }, head, track.make(), all, rows.make());
        for (const name of ["dragenter", "dragover"]) box.addEventListener(name, (event) => { if (hasFiles(event)) { event.preventDefault(); box.classList.add("wan-over"); } });
        box.addEventListener("dragleave", (event) => { if (!box.contains(event.relatedTarget)) box.classList.remove("wan-over"); });
        box.addEventListener("drop", (event) => {
            box.classList.remove("wan-over");
            if (!hasFiles(event)) return;
            event.preventDefault();
            server.attempt(() => files.take([...event.dataTransfer.files]));
        });
        dom.fill(mount, box);
    }

    const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");

    // ------------------------------------------------------------------------------------------------ what it is

    /** Take over a project, also one that only looks like one. names: of its pictures, where their paths do not say it. */
    function take(project, names) {
        const pairs = project.keyframes.filter(Array.isArray), subs = project.sub_prompts || [];
        state.keyframes = pairs.map(([image, time], index) => ({ id: nextId++, image: String(image), name: String((names || [])[index] || nameOf(String(image))), time: Number(time) || 0 }));
        state.prompt = String(project.prompt || "");
        state.subs = pairs.slice(1).map((_, index) => String(subs[index] || ""));
    }

    function put(project, names) {
        take(project, names);
        draw();
    }

    function project() {
        return { keyframes: state.keyframes.map(({ image, time }) => [image, time]), prompt: state.prompt, sub_prompts: [...state.subs] };
    }

    /** Frames a second as the form says. */
    function rate() {
        const [top, bottom] = form.valueOf("fps").split("/").map(Number);
        const value = bottom ? top / bottom : top;
        return value > 0 ? value : USUAL_RATE;
    }

    /** A time on the film's frames, from the first picture on. */
    function onFrame(time) {
        const begin = state.keyframes[0]?.time ?? 0, fps = rate();
        return rounded(begin + Math.round((time - begin) * fps) / fps);
    }

    const rounded = (seconds) => Math.max(0, Math.round(seconds * 1000) / 1000);

    function framesOf(index) {
        return Math.round((state.keyframes[index + 1].time - state.keyframes[index].time) * rate());
    }

    /** What is to be said of a segment's length: words, and whether they warn. */
    function advice(index) {
        const frames = framesOf(index);
        const fit = frames % 4 ? "" : ` (${frames + 1} = 4n+1)`;
        if (frames < 1) return { warns: true, text: "both pictures fall on one frame" };
        if (frames < SHORT) return { warns: true, text: `${dom.plural(frames, "frame")}: under ${SHORT} motion gets stiff` };
        if (frames > LONG) return { warns: true, text: `${frames} frames: above ${LONG} it drifts` };
        return { warns: false, text: `${frames} frames${fit}` };
    }

    // ---------------------------------------------------------------------------------------------- what is done

    function add(images) {
        for (const [image, name] of images) {
            const last = state.keyframes.at(-1);
            state.keyframes.push({ id: nextId++, image, name, time: last ? rounded(last.time + APART) : 0 });
            if (last) state.subs.push("");
        }
        edited();
    }

    async function addFiles(files) {
        const images = [];
        for (const file of files) images.push([(await server.upload(file)).path, file.name]);
        add(images);
    }

    function addPath(box) {
        const path = box.value.trim().replace(/^["']|["']$/g, "");
        if (!path) { box.focus(); return; }
        box.value = "";
        add([[path, nameOf(path)]]);
    }

    const atOnce = (work) => work();

    /** Change a picture's time. drawn: says when that is drawn. */
    function setTime(index, seconds, drawn = atOnce) {
        if (!Number.isFinite(seconds)) { drawn(draw); return; }
        state.keyframes[index].time = rounded(seconds);
        state.keyframes.sort((one, other) => one.time - other.time);
        drawn(edited);
    }

    /** Change a segment's length; what comes behind it moves along. */
    function setLength(index, seconds, drawn = atOnce) {
        if (!Number.isFinite(seconds) || seconds <= 0) { drawn(draw); return; }
        const by = seconds - (state.keyframes[index + 1].time - state.keyframes[index].time);
        state.keyframes.slice(index + 1).forEach((each) => { each.time = rounded(each.time + by); });
        drawn(edited);
    }

    /** Make a segment's length such that the model's frames are 4n+1. */
    function fitLength(index) {
        setLength(index, Math.max(4, Math.round(framesOf(index) / 4) * 4) / rate());
    }

    /** Let a picture change places with the next or the one before; the times stay. */
    function swap(index, by) {
        const other = index + by, list = state.keyframes;
        if (other < 0 || other >= list.length) return;
        [list[index], list[other]] = [list[other], list[index]];
        [list[index].time, list[other].time] = [list[other].time, list[index].time];
        edited();
    }

    function remove(index) {
        state.keyframes.splice(index, 1);
        // The two segments beside it become one, with the first one's words.
        const gone = index > 0 && (state.subs[index - 1] || index === state.subs.length) ? index : Math.max(0, index - 1);
        state.subs.splice(Math.min(gone, state.subs.length - 1), 1);
        edited();
    }

    async function replace(index, file) {
        Object.assign(state.keyframes[index], { image: (await server.upload(file)).path, name: file.name });
        edited();
    }

    function setSub(index, text) {
        state.subs[index] = text;
        track.draw();
        changed();
    }

    /** The list is another one. */
    function edited() {
        draw();
        changed();
    }

    function draw() {
        if (keyframes.prompt.value !== state.prompt) keyframes.prompt.value = state.prompt;
        track.draw();
        rows.draw();
    }

    // -------------------------------------------------------------------------------------------- what is kept

    let settings = null; // of the form, as the last plan had them

    function keep() {
        memory.keep(KEPT, { project: project(), names: state.keyframes.map((each) => each.name), settings });
    }

    function load() {
        const kept = memory.recall(KEPT);
        if (!kept || !Array.isArray(kept.project?.keyframes)) return;
        take(kept.project, kept.names);
        settings = kept.settings;
    }

    /** Put back what stood in the form; what other pages share only if this page was the one that was open. */
    async function restoreForm() {
        if (!settings || !state.keyframes.length) return;
        const now = (await server.ask("keyframes_read", {})).settings;
        await server.ask("keyframes_fill", { settings: { ...now, ...settings.own, ...(openAtLoad ? settings.shared : {}) } });
    }

    // ------------------------------------------------------------------------------------------------- the page

    function changed() {
        plan = plan || timeline.live("keyframes_plan", "#wan_keyframes_timeline", () => ({ project: project() }), (answer) => {
            if (back.done) settings = { own: answer.own, shared: answer.shared };
            keep();
        });
        keep();
        plan.changed();
    }

    /** A control of the form is another one: its rate may be. */
    function formChanged() {
        if (!back.done) return;
        track.draw();
        rows.advise();
        changed();
    }

    async function shown() {
        draw();
        await back.go();
        changed();
    }

    function generate(watch) {
        return jobs.begin(async () => {
            const answer = await server.ask("keyframes_send", { action: "render", project: project() });
            setTimeout(timeline.markProblems, 30);
            return answer.jobs;
        }, watch);
    }

    const isPicture = (file) => file.type.startsWith("image/");
    const nameOf = (path) => path.split(/[\\/]/).pop();

    const files = {
        accept: ".yaml,.yml,.json,image/*", many: true,
        title: "A config.yaml of keyframes, with its pictures if they are not where it says; or pictures alone",
        exports: [{ id: "wan_keyframes_export", text: "Export", title: "The page as a config.yaml", give: give }],
        /** A project's pictures are found by name among the files that came with it. */
        take: async (given) => {
            const pictures = given.filter(isPicture), [text] = given.filter((each) => !isPicture(each));
            if (!text) { await addFiles(pictures); return; }
            const answer = await server.ask("keyframes_fill", { project: await text.text(), name: text.name });
            if (answer.failed) return;
            const parts = answer.parts, names = parts.keyframes.map(([image]) => nameOf(image));
            for (const [index, pair] of parts.keyframes.entries()) {
                const file = pictures.find((each) => each.name === names[index]);
                if (file) pair[0] = (await server.upload(file)).path;
            }
            put(parts, names);
            tools.tellOf(`Taken in: ${text.name}.`, answer.notes);
            changed();
        },
    };

    async function give() {
        const answer = await server.ask("keyframes_send", { action: "export", project: project() });
        if (answer.text) tools.save("config.yaml", answer.text, answer.notes);
    }

    /** Whether a film's settings are those of keyframes: pictures on plain frames, each with its own prompt. */
    function fits(given) {
        const frames = Object.keys(given.guided_images || {});
        return frames.length > 0 && Boolean(given.end_image) && frames.every((frame) => /^\d+$/.test(frame) && frame in given.prompts)
            && Object.keys(given.prompts).length === frames.length;
    }

    /** Put a film's settings into the page: each segment has its whole prompt. */
    async function restore(given) {
        back.done = true;
        const answer = await server.ask("keyframes_fill", { settings: given });
        const fps = rateOf(given.fps), frames = Object.keys(given.guided_images).sort((one, other) => one - other);
        const pairs = frames.map((frame) => [given.guided_images[frame], rounded(frame / fps)]);
        put({ keyframes: [...pairs, [given.end_image, rounded((given.max_frames - 1) / fps)]], sub_prompts: frames.map((frame) => given.prompts[frame]) });
        changed();
        return !answer.failed;
    }

    function rateOf(text) {
        const [top, bottom] = String(text).split("/").map(Number);
        return bottom ? top / bottom : top;
    }

    /** The box of a problem's place. */
    function find({ field, key }) {
        if (field === "keyframes") return rows.timeBox(Number(key) - 1) || dom.inTab("#wan_keyframes_add");
        if (field === "sub_prompts") return rows.textBox(0) || keyframes.prompt;
        return field === "prompt" ? keyframes.prompt : null;
    }

    Object.assign(keyframes, { build, state, advice, onFrame, rate, setTime, setLength, fitLength, swap, remove, replace, setSub, find, fits, restore,
        changed: formChanged, shown, generate, files, hint: "Add pictures, say what happens between them, then press Generate." });
})();
