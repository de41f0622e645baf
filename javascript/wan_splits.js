/* Jobs of the kind split in the Wan tab: films that are cut into scenes, then their contact sheets and lists. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, pages, result, kinds, scenes] = ["dom", "server", "pages", "result", "kinds", "scenes"].map(part);

    const LISTS = { list: "list of scenes", table: "table of scenes", curve: "curve of probabilities" };

    function status(job) {
        const progress = job.progress;
        if (job.state !== "running") return "";
        const film = progress.clips > 1 ? `film ${progress.clip + 1} of ${progress.clips}` : "";
        return kinds.sentence([film, progress.message, kinds.timeLeft(job)]);
    }

    const address = (path) => `files?path=${encodeURIComponent(path)}`;

    function films(job) {
        return (job.result && job.result.films) || [];
    }

    function thumbnail(job) {
        const film = films(job).find((each) => each.sheet);
        return film ? address(film.sheet) : "";
    }

    function drawResult(job) {
        const { parts } = result;
        dom.fill(parts.sheet, ...films(job).flatMap((film) => [
            dom.el("p", { class: "wan-quiet", text: film.error ? `${film.film}: ${film.error.message}` : `${film.film}: ${dom.plural(film.scenes, "scene")}` }),
            film.sheet ? dom.el("img", { src: server.address(address(film.sheet)), alt: "Contact sheet: the first frame of each scene", loading: "lazy" }) : null,
        ]));
        dom.fill(parts.files, ...films(job).flatMap((film) => Object.entries(LISTS).filter(([name]) => film[name])
            .map(([name, words]) => result.fileItem(String(film[name]).split(/[\\/]/).pop(), server.address(address(film[name])), words))));
    }

    function restore(job) {
        pages.show("scenes");
        return scenes.restore(job.settings);
    }

    kinds.split = { untitled: "Untitled split", running: "splitting", status, thumbnail, drawResult, restore };
})();
