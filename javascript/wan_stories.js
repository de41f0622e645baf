/* Jobs of the kinds storyboard and keyframes in the Wan tab: a storyboard that is planned, gets pictures, becomes a film. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, pages, result, kinds, storyboard] = ["dom", "server", "pages", "result", "kinds", "storyboard"].map(part);

    function status(job) {
        // Once the film is begun its clips say more.
        if (job.progress.clips) return kinds.render.status(job);
        return job.state === "running" ? kinds.sentence([job.progress.message || "getting ready"]) : "What was planned and made so far is kept.";
    }

    function pictures(job) {
        const story = (job.result && job.result.storyboard) || null;
        return story ? [story.opening, ...story.segments.map((each) => each.last)].map((each) => each.image).filter(Boolean) : [];
    }

    const address = (path) => `files?path=${encodeURIComponent(path)}`;

    function thumbnail(job) {
        const [first] = pictures(job);
        return kinds.render.thumbnail(job) || (first ? address(first) : "");
    }

    function draw(job) {
        if (job.progress.clips) kinds.render.draw(job);
    }

    async function drawResult(job) {
        storyboard.ended(job);
        if (job.result && job.result.film) { await kinds.render.drawResult(job); return; }
        const made = pictures(job);
        dom.fill(result.parts.screen);
        dom.fill(result.parts.sheet, dom.el("div", { class: "wan-story-made" }, ...made.map((path, number) => dom.el("img", { src: server.address(address(path)), alt: `Keyframe ${number}`, loading: "lazy" }))));
        const file = job.result && job.result.file;
        dom.fill(result.parts.files, file ? result.fileItem(file.split(/[\\/]/).pop(), server.address(address(file)), "the storyboard's file") : null);
    }

    function restore(job) {
        pages.show("storyboard");
        return storyboard.restore(job);
    }

    const shared = { untitled: "Untitled storyboard", status, thumbnail, draw, drawResult, restore, hear: (event, job) => storyboard.hear(event, job) };
    kinds.storyboard = { ...shared, running: "working" };
    kinds.keyframes = { ...shared, running: "drawing" };
})();
