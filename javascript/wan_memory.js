/* What pages of the Wan tab keep in the browser: for this window's reloads, and for another day. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [memory] = ["memory"].map(part);

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

    Object.assign(memory, { keep, recall });
})();
