/* The film that the Wan tab watches: progress, preview, finished clips, the film itself and its files. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, film, jobs] = ["dom", "server", "film", "jobs"].map(part);

    const MOST_CLIP_BUTTONS = 60;

    /* id, job: what is watched.  last: number of its last event.  round: counts what was watched.  shown: on the screen. */
    Object.assign(film, { id: "", job: null, last: 0, clips: new Set(), log: [], tried: [], pace: null, round: 0, parts: {}, shown: "" });

    function build(mount) {
        const parts = film.parts;
        parts.title = dom.el("h3", { class: "wan-title", text: "Film" });
        parts.chip = dom.el("span", { class: "wan-chip" });
        parts.resume = dom.button("Resume", () => server.attempt(() => jobs.resume(film.id)), { id: "wan_resume" });
        parts.bar = dom.el("div", { class: "wan-bar", role: "progressbar", "aria-label": "Progress of the film", "aria-valuemin": "0", "aria-valuemax": "100" }, dom.el("i"));
        parts.status = dom.el("p", { class: "wan-status", "aria-live": "polite" });
        parts.screen = dom.el("div", { class: "wan-screen" });
        parts.clips = dom.el("div", { class: "wan-clip-buttons", role: "group", "aria-label": "Finished clips" });
        parts.problems = dom.el("div");
        parts.sheet = dom.el("div", { class: "wan-sheet" });
        parts.files = dom.el("ul", { class: "wan-files" });
        parts.log = dom.el("pre", { class: "wan-log", tabindex: "0", "aria-label": "Log of the film" });
        parts.more = dom.el("details", { class: "wan-details" }, dom.el("summary", { text: "Log" }), parts.log);
        parts.attempts = dom.el("ul", { class: "wan-files" });
        parts.tried = dom.el("details", { class: "wan-details" }, dom.el("summary", { text: "What was tried" }), parts.attempts);
        const head = dom.el("div", { class: "wan-head" }, parts.title, parts.chip, dom.el("span", { class: "wan-space" }), parts.resume);
        parts.box = dom.el("div", { class: "wan-stage" }, head, parts.bar, parts.status, parts.problems, parts.screen,
            parts.clips, parts.sheet, parts.files, parts.tried, parts.more);
        parts.empty = dom.el("div", { class: "wan-empty" },
            dom.el("p", { text: "The film appears here." }),
            dom.el("p", { class: "wan-quiet", text: "Write prompts, look at the plan, then press Generate." }));
        dom.fill(mount, dom.el("div", { id: "wan_told" }), parts.empty, parts.box);
        dom.show(parts.box, false);
        showInterrupt();
    }

    function close() {
        film.round += 1;
        Object.assign(film, { id: "", job: null });
        dom.show(film.parts.box, false);
        dom.show(film.parts.empty, true);
        showInterrupt();
    }

    function draw() {
        const { job, parts } = film;
        if (!job) return;
        dom.show(parts.empty, false);
        dom.show(parts.box, true);
        parts.title.textContent = parts.title.title = job.title || jobs.NO_TITLE;
        parts.chip.textContent = job.cancel_requested && job.state === "running" ? "stopping" : jobs.STATE_WORDS[job.state];
        parts.chip.className = `wan-chip wan-state-${job.state}`;
        const progress = job.progress, share = job.state === "done" ? 1 : progress.steps_total ? progress.steps_done / progress.steps_total : 0;
        parts.bar.setAttribute("aria-valuenow", Math.round(share * 100));
        parts.bar.firstChild.style.width = `${share * 100}%`;
        parts.bar.classList.toggle("wan-busy", job.state === "running" && !progress.steps_done);
        dom.show(parts.bar, !["done"].includes(job.state));
        parts.status.textContent = statusWords(job);
        dom.show(parts.resume, ["failed", "cancelled"].includes(job.state));
        drawError(job);
        drawPreview(job);
        drawClips(job);
        parts.log.textContent = film.log.join("\n");
        dom.show(parts.more, film.log.length > 0);
        dom.fill(parts.attempts, ...film.tried.map((text) => dom.el("li", { text })));
        dom.show(parts.tried, film.tried.length > 0);
        if (!jobs.hasEnded(job)) { dom.fill(parts.sheet); dom.fill(parts.files); }
        showInterrupt();
    }

    function statusWords(job) {
        const progress = job.progress, words = [];
        if (job.state === "queued") return "Waits for its turn.";
        if (job.state === "done") return job.started && job.finished ? `Made in ${dom.duration(job.finished - job.started)}.` : "";
        if (job.state !== "running") return progress.clips ? `${dom.plural(film.clips.size, "clip")} of ${progress.clips} finished; they are kept.` : "";
        if (progress.clips) words.push(`clip ${progress.clip + 1} of ${progress.clips}`);
        if (progress.kind === "step" || progress.kind === "clip_started") words.push(`step ${progress.step} of ${progress.steps}`);
        else if (progress.kind) words.push(progress.kind === "ready" || progress.kind === "started" ? "getting ready" : progress.kind.replaceAll("_", " "));
        if (film.pace && film.pace.seconds) words.push(film.pace.seconds >= 1 ? `${film.pace.seconds.toPrecision(2)} s per step` : `${(1 / film.pace.seconds).toPrecision(2)} steps/s`);
        if (progress.seconds_left !== null && progress.seconds_left !== undefined) words.push(`${dom.duration(progress.seconds_left)} left`);
        const text = words.join(" · ");
        return text.charAt(0).toUpperCase() + text.slice(1);
    }

    function drawError(job) {
        const error = job.state === "failed" ? job.error : null;
        if (!error) { dom.fill(film.parts.problems); return; }
        dom.fill(film.parts.problems, dom.el("div", { class: "wan-problems", role: "alert" },
            dom.el("p", { text: error.message || "The film failed." }), error.remedy ? dom.el("p", { class: "wan-remedy", text: error.remedy }) : null));
    }

    function drawPreview(job) {
        const number = job.progress.preview_number, name = `preview ${number}`;
        if (job.state === "done" || !number || film.shown === name || film.shown.startsWith("clip")) return;
        const id = job.id, picture = new Image();
        picture.alt = "Preview of the clip in the making";
        picture.className = "wan-preview";
        picture.onload = () => {
            if (film.id !== id || film.shown.startsWith("clip") || film.job.state === "done") return;
            dom.fill(film.parts.screen, picture);
        };
        film.shown = name;
        picture.src = server.address(`jobs/${id}/preview?number=${number}`);
    }

    function drawClips(job) {
        const parts = film.parts, numbers = [...film.clips].sort((one, other) => one - other).slice(-MOST_CLIP_BUTTONS);
        const wanted = job.state === "done" ? "" : numbers.join();
        if (parts.clips.dataset.drawn === wanted) return;
        parts.clips.dataset.drawn = wanted;
        if (!wanted) { dom.fill(parts.clips); return; }
        dom.fill(parts.clips, dom.el("span", { class: "wan-quiet", text: "Finished clips" }), ...numbers.map((number) =>
            dom.button(String(number + 1), () => showClip(job.id, number), { "aria-label": `Play clip ${number + 1}` })));
    }

    function showClip(id, number) {
        film.shown = `clip ${number}`;
        const back = dom.button("Back to the preview", () => { film.shown = ""; dom.fill(film.parts.screen); draw(); });
        dom.fill(film.parts.screen, video(server.address(`jobs/${id}/clips/${number}`), `Clip ${number + 1}`), film.job.state === "done" ? null : back);
    }

    function video(source, label) {
        return dom.el("video", { src: source, controls: true, loop: true, playsinline: true, preload: "metadata", "aria-label": label });
    }

    /** Film, contact sheet and files of a job that has ended. */
    async function drawResult() {
        const { job, parts } = film, id = job.id;
        if (!job.folder) return;
        const files = await server.api(`jobs/${id}/files`);
        if (film.id !== id) return;
        const first = (kind) => files.find((file) => file.kind === kind);
        const whole = first("film") || first("partial"), gif = first("gif"), sheet = first("sheet");
        const pictures = files.filter((file) => file.kind === "frame").length;
        film.shown = "film";
        if (whole) dom.fill(parts.screen, video(server.fileAddress(whole.url), whole.kind === "film" ? "The film" : "What there is of the film"));
        else if (gif) dom.fill(parts.screen, dom.el("img", { src: server.fileAddress(gif.url), alt: "The film" }));
        else if (job.state === "done") dom.fill(parts.screen);
        dom.fill(parts.sheet, sheet ? dom.el("img", { src: server.fileAddress(sheet.url), alt: "Contact sheet: frames of each prompt", loading: "lazy" }) : null);
        dom.fill(parts.files, ...files.filter((file) => file.kind !== "frame").map((file) => dom.el("li", {},
            dom.el("a", { href: server.fileAddress(file.url), download: file.name, text: file.name, title: file.kind }), dom.el("span", { class: "wan-quiet", text: dom.sizeWords(file.size) }))),
            pictures ? dom.el("li", { class: "wan-quiet", text: `${dom.plural(pictures, "numbered picture")} in ${job.folder}` }) : null);
    }

    /** The WebUI's own Esc and Ctrl+Enter read the inline style of this button. */
    function showInterrupt() {
        const interrupt = dom.inTab("#wan_interrupt");
        if (interrupt) interrupt.style.display = film.job && film.job.state === "running" && !film.job.cancel_requested ? "block" : "none";
    }

    /** Find the film that runs or waits; else the one that was watched before. */
    async function begun() {
        if (film.job && !jobs.hasEnded(film.job)) return;
        const running = await server.attempt(async () => {
            const answer = await server.api("jobs?state=running&limit=1");
            return answer.jobs.length ? answer.jobs : (await server.api("jobs?state=queued&limit=1")).jobs;
        });
        if (running && running.length) film.follow(running[0].id);
        else if (sessionStorage.getItem("wan_job") && !film.id) film.follow(sessionStorage.getItem("wan_job"));
    }

    function clicked(event) {
        if (event.target.closest("#wan_interrupt") && film.id) server.attempt(() => jobs.cancel(film.id));
    }

    Object.assign(film, { build, begun, clicked, close, draw, drawResult });
})();
