/* What pages of the Wan tab keep in the browser: for this window's reloads, and for another day. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [server, memory] = ["server", "memory"].map(part);

    function keep(name, values) {
        const text = JSON.stringify(values);
        for (const store of [sessionStorage, localStorage]) {
            try { store.setItem(name, text); } catch { /* full, or not allowed: then a reload begins anew */ }
        }
    }

    /** What was kept, or null. */
    function recall(name) {
        try { return JSON.parse(sessionStorage.getItem(name) || localStorage.getItem(name)); } catch { return null; /* not ours */ }
    }

    /** A page's way back to what was kept: gone once, however often it is asked for, and again after it failed.
     * Until it is done the form holds what gradio put there, which the page must not keep as its own. */
    function wayBack(work) {
        const way = { done: false };
        let going = null;
        way.go = async () => {
            if (way.done) return;
            going = going || server.attempt(async () => { await work(); way.done = true; }).finally(() => { going = null; });
            await going;
        };
        return way;
    }

    Object.assign(memory, { keep, recall, wayBack });
})();
