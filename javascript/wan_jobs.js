/* The Wan tab's list of films, and what jobs are told: generate, cancel, resume, delete, settings back. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, dom, server, timeline, film, jobs, engine] = ["page", "dom", "server", "timeline", "film", "jobs", "engine"].map(part);

    const JOBS_SHOWN = 12;
    const ONE_COLUMN = 1024; // px of width below which the style sheet has one column
    const ENDED = ["done", "failed", "cancelled"];
    const STATE_WORDS = { queued: "waiting", running: "rendering", done: "finished", failed: "failed", cancelled: "stopped" };
    const NO_TITLE = "Untitled film";

    Object.assign(jobs, { list: null, more: null, timer: null, drawn: "", shown: JOBS_SHOWN, busy: false });

    function hasEnded(job) {
        return ENDED.includes(job.state);
    }

    async function generate(watch) {
        server.tell([]);
        const answer = await server.ask("send", { action: "render" });
        setTimeout(timeline.markProblems, 30);
        if (!answer.jobs || !answer.jobs.length) return;
        const busy = film.job && !hasEnded(film.job);
        if (watch && !busy) {
            film.follow(answer.jobs[0].id);
            if (window.innerWidth < ONE_COLUMN) dom.inTab("#wan_film").scrollIntoView({ behavior: dom.calm() ? "auto" : "smooth" });
        } else server.tell([{ message: `Queued: ${answer.jobs[0].title || NO_TITLE}.` }], "wan-news");
        refresh();
    }

    async function cancel(id) {
        if (id === film.id && film.job) { film.job.cancel_requested = true; film.draw(); }
        await server.api(`jobs/${id}/cancel`, { method: "POST", body: {} });
        refresh();
    }

    async function resume(id) {
        const job = await server.api(`jobs/${id}/resume`, { method: "POST", body: {} });
        refresh();
        film.follow(job.id || id);
    }

    async function forget(id) {
        await server.api(`jobs/${id}`, { method: "DELETE" });
        if (film.id === id) film.close();
        refresh();
    }

    async function restoreSettings(id) {
        const job = await server.api(`jobs/${id}`);
        const answer = await server.ask("fill", { settings: job.settings });
        if (!answer.failed) {
            server.tell([{ message: `The form holds the settings of "${job.title || NO_TITLE}".` }], "wan-news");
            dom.inTab("#wan_form").scrollIntoView({ behavior: dom.calm() ? "auto" : "smooth" });
        }
        timeline.changed();
    }

    function build(mount) {
        jobs.list = dom.el("ul", { class: "wan-job-list" });
        jobs.more = dom.button("Show older", () => { jobs.shown += JOBS_SHOWN; refresh(); });
        dom.show(jobs.more, false);
        dom.fill(mount, dom.el("h3", { class: "wan-title", text: "Films" }), jobs.list, jobs.more);
    }

    async function refresh() {
        clearTimeout(jobs.timer);
        let delay = server.POLL_IDLE;
        if (!jobs.busy && engine.running) {
            jobs.busy = true;
            try {
                const answer = await server.api(`jobs?limit=${jobs.shown + 1}`);
                drawJobs(answer.jobs);
                if (answer.jobs.some((job) => !hasEnded(job))) delay = server.POLL_RUNNING;
            } catch (error) {
                if (error.status !== 503 && error.status !== 0) console.warn(error);
            }
            jobs.busy = false;
        }
        jobs.timer = setTimeout(refresh, document.hidden ? server.POLL_IDLE : delay);
    }

    function drawJobs(found) {
        const text = JSON.stringify([found, film.id, page.restriction]);
        if (text === jobs.drawn) return;
        jobs.drawn = text;
        const focused = jobs.list.contains(document.activeElement) ? document.activeElement.dataset.key : "";
        dom.show(jobs.more, found.length > jobs.shown);
        dom.fill(jobs.list, ...(found.length ? found.slice(0, jobs.shown).map(jobItem) : [dom.el("li", { class: "wan-quiet", text: "None yet." })]));
        if (focused) jobs.list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    }

    function jobItem(job) {
        const ended = hasEnded(job), progress = job.progress, started = job.folder !== "";
        const sheet = job.result && job.result.sheet ? String(job.result.sheet).split(/[\\/]/).pop() : "";
        const preview = sheet ? `jobs/${job.id}/files/${encodeURIComponent(sheet)}` : progress.preview_number ? `jobs/${job.id}/preview?number=${progress.preview_number}` : "";
        const picture = dom.el("div", { class: "wan-thumb" }, preview ? dom.el("img", { src: server.address(preview), alt: "", loading: "lazy", onerror: (event) => event.target.remove() }) : null);
        const share = progress.steps_total ? Math.round(100 * progress.steps_done / progress.steps_total) : 0;
        const when = dom.clock(job.finished || job.started || job.created), chip = job.state === "running" ? `${STATE_WORDS.running} ${share} %` : STATE_WORDS[job.state];
        const act = (name, words, work) => dom.button(words, () => server.attempt(work), { "data-key": `${job.id}/${name}`, "aria-label": `${words}: ${job.title || NO_TITLE}` });
        const deleting = act("delete", "Delete", () => forget(job.id));
        deleting.title = page.restriction || "Forgets the job; the film's files stay on the disk.";
        deleting.disabled = Boolean(page.restriction);
        return dom.el("li", { class: `wan-job${job.id === film.id ? " wan-watched" : ""}` }, picture,
            dom.el("div", { class: "wan-job-words" },
                dom.el("div", { class: "wan-job-title", text: job.title || NO_TITLE, title: job.title }),
                dom.el("div", { class: "wan-quiet" }, dom.el("span", { class: `wan-chip wan-state-${job.state}`, text: chip }), ` ${when}`),
                dom.el("div", { class: "wan-job-actions" },
                    act("watch", "Watch", () => film.follow(job.id)),
                    act("settings", "Use settings", () => restoreSettings(job.id)),
                    ended && job.state !== "done" ? act("resume", started ? "Resume" : "Start again", () => resume(job.id)) : null,
                    !ended ? act("cancel", "Cancel", () => cancel(job.id)) : null,
                    ended ? deleting : null)));
    }

    function clicked(event) {
        if (event.target.closest("#wan_generate")) server.attempt(() => generate(true));
        if (event.target.closest("#wan_queue")) server.attempt(() => generate(false));
    }

    Object.assign(jobs, { STATE_WORDS, NO_TITLE, build, begun: refresh, clicked, hasEnded, cancel, resume, refresh });
})();
