/* Starts the Wan tab when the page is there.
 *
 * Works in gradio 3.41 and 4.40 (the WebUIs) and 6 (the page of its own). The tab talks to the page's own server under
 * wan/v1/; what needs the form's values goes through hidden buttons: see scripts/wan_webui/tab.py.
 * Texts of users and of the engine are only ever set as textContent.
 *
 * Each file fills one part of window.wanTab, and calls the others' functions only when something happens: the order in
 * which a page loads the files does not matter. A part may have
 *   build(mount)    makes its elements in the page's element with data-mount="<name of the part>", if there is one
 *   begun()         the engine answers for the first time, or again
 *   clicked(event)  something in the tab was clicked
 */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, dom, server, form, result, jobs, engine] = ["page", "dom", "server", "form", "result", "jobs", "engine"].map(part);

    function onKey(event) {
        if (!page.root || !page.root.offsetParent) return;
        const running = result.job && result.job.state === "running", withHost = typeof onUiLoaded === "function";
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            // A WebUI would interrupt the job that runs first: here the next one waits its turn.
            event.preventDefault();
            event.stopImmediatePropagation();
            if (event.repeat) return; // a key that is held down begins one work
            hearBox();
            dom.inTab("#wan_generate").click();
        } else if (event.key === "Escape" && running && !withHost && document.activeElement === document.body) {
            dom.inTab("#wan_interrupt").click();
        }
    }

    /** A box of our own is heard when it is left: what was just typed into it counts too. */
    function hearBox() {
        const box = document.activeElement;
        if (!box?.classList.contains("wan-input")) return;
        box.blur();
        box.focus({ preventScroll: true });
    }

    function onClick(event) {
        Object.values(tab).forEach((each) => each.clicked?.(event));
    }

    function start() {
        const host = typeof gradioApp === "function" ? gradioApp() : document;
        const found = host.querySelector("#wan");
        if (page.root || !found || !found.querySelector("#wan_do_models")) return Boolean(page.root);
        const told = JSON.parse(found.querySelector("[data-page]")?.dataset.page ?? "null");
        const mounts = told ? told.mounts.map((name) => found.querySelector(`[data-mount="${name}"]`)) : [null];
        if (mounts.includes(null)) return false;
        page.root = found;
        Object.assign(page, told);
        page.mounts.forEach((name, index) => tab[name].build(mounts[index]));
        form.dress();
        new MutationObserver(server.readMailboxes).observe(dom.inTab("#wan_wires"), { childList: true, subtree: true, attributes: true });
        new MutationObserver(form.dress).observe(dom.inTab("#wan_form"), { childList: true, subtree: true });
        page.root.addEventListener("click", onClick);
        document.addEventListener("keydown", onKey, true);
        document.addEventListener("visibilitychange", () => { if (!document.hidden) { engine.refresh(); jobs.refresh(); } });
        engine.refresh();
        return true;
    }

    /** The page is put together piece by piece; a tab that the WebUI hides never comes. */
    function begin(tries = 600) {
        if (!start() && tries) setTimeout(() => begin(tries - 1), 100);
    }

    if (typeof onUiLoaded === "function") onUiLoaded(() => begin());
    else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => begin());
    else begin();
})();
