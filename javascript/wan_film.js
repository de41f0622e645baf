/* The page Film: prompts by frame, their live plan, and the film that is made of the form. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [server, timeline, jobs, tools, pages, keyframes, storyboard, film] = ["server", "timeline", "jobs", "tools", "pages", "keyframes", "storyboard", "film"].map(part);

    const KINDS = { keyframes, storyboard };

    let plan = null;

    function changed() {
        plan = plan || timeline.live("plan", "#wan_timeline", () => ({}));
        plan.changed();
    }

    function generate(watch) {
        return jobs.begin(async () => {
            const answer = await server.ask("send", { action: "render" });
            setTimeout(timeline.markProblems, 30);
            return answer.jobs;
        }, watch);
    }

    /** Put settings into the form. */
    async function restore(settings) {
        const answer = await server.ask("fill", { settings });
        changed();
        return !answer.failed;
    }

    async function give(form, name) {
        const answer = await server.ask("send", { action: "export", form });
        if (answer.text) tools.save(name, answer.text, answer.notes);
    }

    const files = {
        accept: ".txt,.json,.yaml,.yml",
        title: "A project file, a Deforum settings file, or prompts",
        take: async ([file]) => {
            const project = await file.text(), body = { project, name: file.name };
            const read = await server.api("imports", { method: "POST", body });
            // A project of another kind opens the page of its kind.
            if (!(read.kind in KINDS)) { await tools.takeProject(project, file.name); return; }
            pages.show(read.kind);
            await KINDS[read.kind].files.take([file]);
        },
        exports: [
            { id: "wan_export", text: "Export", title: "The form as a project file", give: () => give("project", "film.json") },
            { id: "wan_export_deforum", text: "Export for Deforum", title: "The form as a settings file that Deforum loads", give: () => give("deforum", "film_settings.txt") },
        ],
    };

    Object.assign(film, { changed, shown: changed, generate, restore, files, hint: "Write prompts, look at the plan, then press Generate." });
})();
