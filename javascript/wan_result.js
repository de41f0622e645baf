/* What the Wan tab watches: one job with its state, its progress and, in the end, what it made. What is particular to a
 * kind of job stands with the kind (wan_kinds.js). */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, pages, seams, result, jobs, kinds] = ["dom", "server", "pages", "seams", "result", "jobs", "kinds"].map(part);

    /* id, job: what is watched.  last: number of its last event.  round: counts what was watched.
     * stream: ends the one of its events.  shown: on the screen. */
    Object.assign(result, { id: "", job: null, last: 0, clips: new Set(), log: [], tried: [], pace: null, round: 0, stream: null, parts: {}, shown: "" });

    function build(mount) {
        const parts = result.parts;
        parts.title = dom.el("h3", { class: "wan-title", text: "Result" });
        parts.chip = dom.el("span", { class: "wan-chip" });
        parts.resume = dom.button("Resume", () => server.attempt(() => jobs.resume(result.id)), { id: "wan_resume", title: "Goes on where it stopped" });
        parts.bar = dom.el("div", { class: "wan-bar", role: "progressbar", "aria-label": "Progress of the job", "aria-valuemin": "0", "aria-valuemax": "100" }, dom.el("i"));
        parts.status = dom.el("p", { class: "wan-status", "aria-live": "polite" });
        parts.screen = dom.el("div", { class: "wan-screen" });
        parts.clips = dom.el("div", { class: "wan-clip-buttons", role: "group", "aria-label": "Finished clips" });
        parts.problems = dom.el("div");
        parts.sheet = dom.el("div", { class: "wan-sheet" });
        parts.files = dom.el("ul", { class: "wan-files" });
        parts.log = dom.el("pre", { class: "wan-log", tabindex: "0", "aria-label": "Log of the job" });
        parts.more = dom.el("details", { class: "wan-details" }, dom.el("summary", { text: "Log", title: "What has happened to the job" }), parts.log);
        parts.attempts = dom.el("ul", { class: "wan-files" });
        parts.tried = dom.el("details", { class: "wan-details" }, dom.el("summary", { text: "What was tried", title: "How each part of the model was loaded" }), parts.attempts);
        const head = dom.el("div", { class: "wan-head" }, parts.title, parts.chip, dom.el("span", { class: "wan-space" }), parts.resume);
        parts.box = dom.el("div", { class: "wan-stage" }, head, parts.bar, parts.status, parts.problems, parts.screen,
            parts.clips, parts.sheet, parts.files, parts.tried, parts.more);
        parts.hint = dom.el("p", { class: "wan-quiet" });
        parts.empty = dom.el("div", { class: "wan-empty" },
            dom.el("p", { text: "What is made appears here." }), parts.hint);
        dom.fill(mount, dom.el("div", { id: "wan_told" }), parts.empty, parts.box);
        dom.show(parts.box, false);
        showInterrupt();
    }

    /** Let go of what is watched, with all that was shown of it; the number of the next round. */
    function leave() {
        const { screen, clips, sheet, files } = result.parts;
        for (const each of [screen, clips, sheet, files]) dom.fill(each);
        clips.dataset.drawn = "";
        result.round += 1;
        result.stream?.abort();
        return result.round;
    }

    function close() {
        leave();
        Object.assign(result, { id: "", job: null });
        seams.showDrawn();
        dom.show(result.parts.box, false);
        dom.show(result.parts.empty, true);
        showInterrupt();
    }

    function draw() {
        const { job, parts } = result;
        if (!job) return;
        dom.show(parts.empty, false);
        dom.show(parts.box, true);
        parts.title.textContent = parts.title.title = kinds.title(job);
        parts.chip.textContent = job.cancel_requested && job.state === "running" ? "stopping" : kinds.stateWord(job);
        parts.chip.className = `wan-chip wan-state-${job.state}`;
        const progress = job.progress, share = job.state === "done" ? 1 : progress.steps_total ? progress.steps_done / progress.steps_total : 0;
        parts.bar.setAttribute("aria-valuenow", Math.round(share * 100));
        parts.bar.firstChild.style.width = `${share * 100}%`;
        parts.bar.classList.toggle("wan-busy", job.state === "running" && !progress.steps_done);
        dom.show(parts.bar, !["done"].includes(job.state));
        parts.status.textContent = statusWords(job);
        dom.show(parts.resume, ["failed", "cancelled"].includes(job.state));
        drawError(job);
        kinds.of(job).draw?.(job);
        parts.log.textContent = result.log.join("\n");
        dom.show(parts.more, result.log.length > 0);
        dom.fill(parts.attempts, ...result.tried.map((text) => dom.el("li", { text })));
        dom.show(parts.tried, result.tried.length > 0);
        if (!jobs.hasEnded(job)) { dom.fill(parts.sheet); dom.fill(parts.files); }
        showInterrupt();
    }

    function statusWords(job) {
        if (job.state === "queued") return "Waits for its turn.";
        if (job.state === "done") return job.started && job.finished ? `Made in ${dom.duration(job.finished - job.started)}.` : "";
        return kinds.of(job).status(job);
    }

    function drawError(job) {
        const error = job.state === "failed" ? job.error : null;
        if (!error) { dom.fill(result.parts.problems); return; }
        dom.fill(result.parts.problems, dom.el("div", { class: "wan-problems", role: "alert" },
            dom.el("p", { text: error.message || "The job failed." }), error.remedy ? dom.el("p", { class: "wan-remedy", text: error.remedy }) : null));
    }

    function video(source, label) {
        return dom.el("video", { src: source, controls: true, loop: true, playsinline: true, preload: "metadata", "aria-label": label });
    }

    /** A file that was made, to be saved. size: in bytes, if it is known. */
    function fileItem(name, address, title, size) {
        return dom.el("li", {}, dom.el("a", { href: address, download: name, text: name, title }),
            size === undefined ? null : dom.el("span", { class: "wan-quiet", text: dom.sizeWords(size) }));
    }

    /** What was made, once the job has ended. */
    async function drawResult() {
        await kinds.of(result.job).drawResult(result.job);
    }

    function drawHint() {
        if (result.parts.hint) result.parts.hint.textContent = pages.open().hint || "";
    }

    /** The WebUI's own Esc and Ctrl+Enter read the inline style of this button. */
    function showInterrupt() {
        const interrupt = dom.inTab("#wan_interrupt");
        if (interrupt) interrupt.style.display = result.job && result.job.state === "running" && !result.job.cancel_requested ? "block" : "none";
    }

    /** Find the film that runs or waits; else the one that was watched before. */
    async function begun() {
        if (result.job && !jobs.hasEnded(result.job)) return;
        const running = await server.attempt(async () => {
            const answer = await server.api("jobs?state=running&limit=1");
            return answer.jobs.length ? answer.jobs : (await server.api("jobs?state=queued&limit=1")).jobs;
        });
        if (running && running.length) result.follow(running[0].id);
        else if (sessionStorage.getItem("wan_job") && !result.id) result.follow(sessionStorage.getItem("wan_job"));
    }

    function clicked(event) {
        if (event.target.closest("#wan_interrupt") && result.id) server.attempt(() => jobs.cancel(result.id));
    }

    Object.assign(result, { build, begun, clicked, leave, close, draw, drawResult, drawHint, fileItem, video });
})();
