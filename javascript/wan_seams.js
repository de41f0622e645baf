/* The line of time of a film that was made, below it: its seams with their figures, and the way to each in the film. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, dom, server, result, seams] = ["page", "dom", "server", "result", "seams"].map(part);

    const BEFORE = 0.6; // seconds of the film that are seen before a seam

    /** Draw the film of a job, or none; it is seen while the job is watched. */
    async function follow(id) {
        if (id) await server.attempt(() => server.ask("made", { job: id }));
        showDrawn();
    }

    function showDrawn() {
        const place = dom.inTab("#wan_made"), drawn = place?.querySelector("[data-job]");
        if (place) dom.show(place, Boolean(drawn) && drawn.dataset.job === result.id);
    }

    /** A seam that is pointed at or reached by the keyboard tells its figures below. */
    function tell(event) {
        const seam = event.target.closest?.(".wan-seam"), words = seam?.closest(".wan-plan").querySelector(".wan-seam-words");
        if (words) words.textContent = seam.getAttribute("aria-label");
    }

    function begun() {
        if (seams.heard) return;
        seams.heard = true;
        for (const name of ["mouseover", "focusin"]) page.root.addEventListener(name, tell);
        new MutationObserver(showDrawn).observe(dom.inTab("#wan_made"), { childList: true, subtree: true });
    }

    function clicked(event) {
        const seam = event.target.closest("#wan_made .wan-seam"), film = result.parts.screen?.querySelector("video");
        if (!seam || !film) return;
        film.currentTime = Math.max(0, Number(seam.dataset.seconds) - BEFORE);
        film.play().catch(() => {});
    }

    Object.assign(seams, { follow, begun, clicked, showDrawn });
})();
