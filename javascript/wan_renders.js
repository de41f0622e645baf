/* Jobs of the kind render in the Wan tab: clip after clip, then the film with its contact sheet and files. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, film, keyframes, pages, seams, result, kinds] = ["dom", "server", "film", "keyframes", "pages", "seams", "result", "kinds"].map(part);

    const MOST_CLIP_BUTTONS = 60;

    function status(job) {
        const progress = job.progress;
        if (job.state !== "running") return progress.clips ? `${dom.plural(result.clips.size, "clip")} of ${progress.clips} finished; they are kept.` : "";
        const words = [progress.clips ? `clip ${progress.clip + 1} of ${progress.clips}` : ""];
        if (progress.kind === "step" || progress.kind === "clip_started") words.push(`step ${progress.step} of ${progress.steps}`);
        else if (progress.kind) words.push(["ready", "started"].includes(progress.kind) ? "getting ready" : progress.kind.replaceAll("_", " "));
        const seconds = result.pace && result.pace.seconds;
        if (seconds) words.push(seconds >= 1 ? `${seconds.toPrecision(2)} s per step` : `${(1 / seconds).toPrecision(2)} steps/s`);
        return kinds.sentence([...words, kinds.timeLeft(job)]);
    }

    function thumbnail(job) {
        const sheet = job.result && job.result.sheet ? String(job.result.sheet).split(/[\\/]/).pop() : "", number = job.progress.preview_number;
        if (sheet) return `jobs/${job.id}/files/${encodeURIComponent(sheet)}`;
        return number ? `jobs/${job.id}/preview?number=${number}` : "";
    }

    function draw(job) {
        drawPreview(job);
        drawClips(job);
    }

    function drawPreview(job) {
        const number = job.progress.preview_number, name = `preview ${number}`;
        if (job.state === "done" || !number || result.shown === name || result.shown.startsWith("clip")) return;
        const id = job.id, picture = new Image();
        picture.alt = "Preview of the clip in the making";
        picture.className = "wan-preview";
        picture.onload = () => {
            if (result.id !== id || result.shown.startsWith("clip") || result.job.state === "done") return;
            dom.fill(result.parts.screen, picture);
        };
        result.shown = name;
        picture.src = server.address(`jobs/${id}/preview?number=${number}`);
    }

    function drawClips(job) {
        const { clips } = result.parts, numbers = [...result.clips].sort((one, other) => one - other).slice(-MOST_CLIP_BUTTONS);
        const wanted = job.state === "done" ? "" : numbers.join();
        if (clips.dataset.drawn === wanted) return;
        clips.dataset.drawn = wanted;
        if (!wanted) { dom.fill(clips); return; }
        dom.fill(clips, dom.el("span", { class: "wan-quiet", text: "Finished clips" }), ...numbers.map((number) =>
            dom.button(String(number + 1), () => showClip(job.id, number), { "aria-label": `Play clip ${number + 1}`, "data-key": `clip-${number}` })));
    }

    function showClip(id, number) {
        result.shown = `clip ${number}`;
        const back = dom.button("Back to the preview", () => { result.shown = ""; dom.fill(result.parts.screen); result.draw(); }, { id: "wan_preview_back", title: "Shows the clip in the making again" });
        dom.fill(result.parts.screen, result.video(server.address(`jobs/${id}/clips/${number}`), `Clip ${number + 1}`), result.job.state === "done" ? null : back);
    }

    /** Film, contact sheet and files. */
    async function drawResult(job) {
        const { parts } = result, id = job.id;
        if (!job.folder) return;
        const files = await server.api(`jobs/${id}/files`);
        if (result.id !== id) return;
        const first = (kind) => files.find((file) => file.kind === kind);
        const whole = first("film") || first("partial"), gif = first("gif"), sheet = first("sheet");
        const pictures = files.filter((file) => file.kind === "frame").length;
        result.shown = "film";
        if (whole) dom.fill(parts.screen, result.video(server.fileAddress(whole.url), whole.kind === "film" ? "The film" : "What there is of the film"));
        else if (gif) dom.fill(parts.screen, dom.el("img", { src: server.fileAddress(gif.url), alt: "The film" }));
        else if (job.state === "done") dom.fill(parts.screen);
        dom.fill(parts.sheet, sheet ? dom.el("img", { src: server.fileAddress(sheet.url), alt: "Contact sheet: frames of each prompt", loading: "lazy" }) : null);
        const listed = files.filter((file) => file.kind !== "frame").map((file) => result.fileItem(file.name, server.fileAddress(file.url), file.kind, file.size));
        seams.follow(job.state === "done" ? id : "");
        dom.fill(parts.files, ...listed, pictures ? dom.el("li", { class: "wan-quiet", text: `${dom.plural(pictures, "numbered picture")} in ${job.folder}` }) : null);
    }

    async function restore(job) {
        const fits = keyframes.fits(job.settings);
        pages.show(fits ? "keyframes" : "film");
        return (fits ? keyframes : film).restore(job.settings);
    }

    kinds.render = { untitled: "Untitled film", running: "rendering", status, thumbnail, draw, drawResult, restore };
})();
