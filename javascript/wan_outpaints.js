/* Jobs of the kind outpaint in the Wan tab: chunk after chunk, then the film; or one frame with its canvas and mask. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, pages, result, kinds, outpaint] = ["dom", "server", "pages", "result", "kinds", "outpaint"].map(part);

    const PICTURES = { before: "Before", canvas: "Canvas", mask: "Mask", after: "After" };

    function status(job) {
        const { clip, clips, step, steps, message, kind } = job.progress;
        if (job.state !== "running") return clips ? `${dom.plural(result.clips.size, "chunk")} of ${clips} finished; they are kept.` : "";
        const words = [clips ? `chunk ${clip + 1} of ${clips}` : "", kind === "step" ? `step ${step} of ${steps}` : message, kinds.timeLeft(job)];
        return kinds.sentence(words);
    }

    /** Film and sheet as of every film; of a preview its four pictures. */
    async function drawResult(job) {
        const { parts } = result, id = job.id;
        if (!job.folder) return;
        const files = await server.api(`jobs/${id}/files`), pictures = files.filter((file) => file.kind in PICTURES);
        if (result.id !== id) return;
        if (!pictures.length) { await kinds.render.drawResult(job); return; }
        result.shown = "pictures";
        dom.fill(parts.screen);
        dom.fill(parts.sheet, dom.el("div", { class: "wan-op-made" }, ...pictures.map((file) => dom.el("figure", {},
            dom.el("img", { src: server.fileAddress(file.url), alt: PICTURES[file.kind] }), dom.el("figcaption", { text: PICTURES[file.kind] })))));
        dom.fill(parts.files, ...pictures.map((file) => result.fileItem(file.name, server.fileAddress(file.url), PICTURES[file.kind], file.size)));
    }

    function thumbnail(job) {
        const after = job.result && job.result.after;
        return after ? `files?path=${encodeURIComponent(after)}` : kinds.render.thumbnail(job);
    }

    function restore(job) {
        pages.show("outpaint");
        return outpaint.restore(job.settings);
    }

    kinds.outpaint = { untitled: "Untitled outpaint", running: "outpainting", status, thumbnail, draw: (job) => kinds.render.draw(job), drawResult, restore };
})();
