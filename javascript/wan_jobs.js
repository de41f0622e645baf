/* The Wan tab's list of jobs, and what jobs are told: begin, cancel, resume, delete, settings back. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, dom, server, result, jobs, kinds, engine] = ["page", "dom", "server", "result", "jobs", "kinds", "engine"].map(part);

    const JOBS_SHOWN = 12;
    const ONE_COLUMN = 1024; // px of width below which the style sheet has one column
    const ENDED = ["done", "failed", "cancelled"];

    Object.assign(jobs, { list: null, more: null, timer: null, drawn: "", shown: JOBS_SHOWN, busy: false, again: false });

    function hasEnded(job) {
        return ENDED.includes(job.state);
    }

    /** Queue what `order` asks for, which gives the new jobs, or none if it was refused; with `watch` follow the first. */
    async function begin(order, watch) {
        server.tell([]);
        const [job] = (await order()) || [];
        if (!job) return;
        const busy = result.job && !hasEnded(result.job);
        if (watch && !busy) {
            result.follow(job.id);
            if (window.innerWidth < ONE_COLUMN) dom.inTab("#wan_film").scrollIntoView({ behavior: dom.calm() ? "auto" : "smooth" });
        } else server.tell([{ message: `Queued: ${kinds.title(job)}.` }], "wan-news");
        refresh();
    }

    async function cancel(id) {
        if (id === result.id && result.job) { result.job.cancel_requested = true; result.draw(); }
        await server.api(`jobs/${id}/cancel`, { method: "POST", body: {} });
        refresh();
    }

    async function resume(id) {
        const job = await server.api(`jobs/${id}/resume`, { method: "POST", body: {} });
        refresh();
        result.follow(job.id || id);
    }

    async function forget(id) {
        await server.api(`jobs/${id}`, { method: "DELETE" });
        if (result.id === id) result.close();
        refresh();
    }

    async function restoreSettings(id) {
        const job = await server.api(`jobs/${id}`);
        if ((await kinds.of(job).restore(job)) === false) return;
        server.tell([{ message: `The form holds the settings of "${kinds.title(job)}".` }], "wan-news");
        dom.inTab("#wan_form").scrollIntoView({ behavior: dom.calm() ? "auto" : "smooth" });
    }

    function build(mount) {
        jobs.list = dom.el("ul", { class: "wan-job-list" });
        jobs.more = dom.button("Show older", () => { jobs.shown += JOBS_SHOWN; refresh(); }, { id: "wan_jobs_more", title: "Shows more of the jobs of before" });
        dom.show(jobs.more, false);
        dom.fill(mount, dom.el("h3", { class: "wan-title", text: "Jobs" }), jobs.list, jobs.more);
    }

    async function refresh() {
        clearTimeout(jobs.timer);
        if (jobs.busy) { jobs.again = true; return; } // the answer on its way may be older than what is to be seen
        let delay = server.POLL_IDLE;
        if (engine.running) {
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
        if (jobs.again) { jobs.again = false; delay = 0; }
        jobs.timer = setTimeout(refresh, document.hidden ? server.POLL_IDLE : delay);
    }

    function drawJobs(found) {
        const text = JSON.stringify([found, result.id, page.restriction]);
        // A button that is being pressed is not replaced, or it hears no click: the next look draws.
        if (text === jobs.drawn || jobs.list.matches(":active")) return;
        jobs.drawn = text;
        const focused = jobs.list.contains(document.activeElement) ? document.activeElement.dataset.key : "";
        dom.show(jobs.more, found.length > jobs.shown);
        dom.fill(jobs.list, ...(found.length ? found.slice(0, jobs.shown).map(jobItem) : [dom.el("li", { class: "wan-quiet", text: "None yet." })]));
        if (focused) jobs.list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    }

    function jobItem(job) {
        const ended = hasEnded(job), progress = job.progress, started = job.folder !== "";
        const preview = kinds.of(job).thumbnail(job);
        const picture = dom.el("div", { class: "wan-thumb" }, preview ? dom.el("img", { src: server.address(preview), alt: "", loading: "lazy", onerror: (event) => event.target.remove() }) : null);
        const share = progress.steps_total ? Math.round(100 * progress.steps_done / progress.steps_total) : 0;
        const when = dom.clock(job.finished || job.started || job.created), chip = job.state === "running" ? `${kinds.stateWord(job)} ${share} %` : kinds.stateWord(job);
        const act = (name, words, title, work) => dom.button(words, () => server.attempt(work), { "data-key": `${job.id}/${name}`, "aria-label": `${words}: ${kinds.title(job)}`, title });
        const deleting = act("delete", "Delete", page.restriction || "Forgets the job; its files stay on the disk", () => forget(job.id));
        deleting.disabled = Boolean(page.restriction);
        return dom.el("li", { class: `wan-job${job.id === result.id ? " wan-watched" : ""}` }, picture,
            dom.el("div", { class: "wan-job-words" },
                dom.el("div", { class: "wan-job-title", text: kinds.title(job), title: job.title }),
                dom.el("div", { class: "wan-quiet" }, dom.el("span", { class: `wan-chip wan-state-${job.state}`, text: chip }), ` ${when}`),
                dom.el("div", { class: "wan-job-actions" },
                    act("watch", "Watch", "Shows it here with its log and files", () => result.follow(job.id)),
                    kinds.of(job).restore ? act("settings", "Use settings", "Fills the form with its settings", () => restoreSettings(job.id)) : null,
                    ended && job.state !== "done" ? act("resume", started ? "Resume" : "Start again", started ? "Goes on where it stopped" : "Puts it into the queue again", () => resume(job.id)) : null,
                    !ended ? act("cancel", "Cancel", "Takes it out of the queue, or stops it; what is finished is kept", () => cancel(job.id)) : null,
                    ended ? deleting : null)));
    }

    Object.assign(jobs, { build, begun: refresh, hasEnded, begin, cancel, resume, refresh });
})();
