/* The engine's strip of the Wan tab: its state, its installation, its start. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, dom, server, engine] = ["page", "dom", "server", "engine"].map(part);

    const STARTS = "Starts the engine, as the first plan does too", INSTALLS = "Makes the engine's Python environment in the background; takes some minutes";

    Object.assign(engine, { running: false, ready: false, timer: null, system: null });

    function build(mount) {
        engine.words = dom.el("span", { class: "wan-engine-words", "aria-live": "polite" });
        engine.dot = dom.el("i", { class: "wan-dot", "aria-hidden": "true" });
        engine.act = dom.button("", () => server.attempt(engineAction), { id: "wan_engine_do" });
        engine.bar = dom.el("div", { class: "wan-bar", role: "progressbar", "aria-label": "Progress of the installation", "aria-valuemin": "0", "aria-valuemax": "100" }, dom.el("i"));
        engine.pre = dom.el("pre", { class: "wan-log", tabindex: "0", "aria-label": "Log of the installation" });
        engine.details = dom.el("details", { class: "wan-details" }, dom.el("summary", { text: "Log", title: "The last lines of the installation" }), engine.pre);
        dom.fill(mount, dom.el("div", { class: "wan-strip" }, engine.dot, engine.words, dom.el("span", { class: "wan-space" }), engine.act), engine.bar, engine.details);
        dom.show(engine.bar, false);
        dom.show(engine.details, false);
        dom.show(engine.act, false);
    }

    async function engineAction() {
        engine.act.disabled = true;
        try {
            drawEngine(await server.api(engine.ready ? "engine/start" : "engine/install", { method: "POST", body: {} }));
        } finally {
            engine.act.disabled = false;
        }
        refresh();
    }

    async function refresh() {
        clearTimeout(engine.timer);
        let delay = server.POLL_IDLE;
        try {
            const state = await server.api("engine");
            if (state.running) engine.system = await server.api("system").catch(() => engine.system);
            drawEngine(state);
            if (state.install.state === "installing") delay = server.POLL_RUNNING;
        } catch (error) {
            engine.running = false;
            engine.dot.className = "wan-dot wan-bad";
            engine.words.textContent = error.status === 401 ? "Log in to this WebUI to use the tab." : `${error.message}.`;
        }
        engine.timer = setTimeout(refresh, delay);
    }

    function drawEngine(state) {
        const install = state.install, begun = state.running && !engine.running;
        page.restriction = state.restriction || "";
        engine.ready = install.state === "ready";
        engine.running = state.running;
        engine.dot.className = `wan-dot wan-${state.running ? "good" : install.state === "failed" ? "bad" : "idle"}`;
        engine.words.textContent = engineWords(state);
        engine.act.textContent = engine.ready ? "Start" : install.state === "failed" ? "Try again" : "Set up the engine";
        engine.act.classList.toggle("wan-primary", !engine.ready);
        engine.act.disabled = Boolean(page.restriction) && !engine.ready;
        engine.act.title = engine.act.disabled ? page.restriction : engine.ready ? STARTS : INSTALLS;
        dom.show(engine.act, !state.running && install.state !== "installing");
        dom.show(engine.bar, install.state === "installing");
        const share = Math.max(0.03, (install.step - 0.5) / install.steps);
        engine.bar.firstChild.style.width = `${share * 100}%`;
        engine.bar.setAttribute("aria-valuenow", Math.round(share * 100));
        dom.show(engine.details, !engine.ready && Boolean(install.log));
        engine.pre.textContent = install.log;
        if (begun) Object.values(tab).forEach((each) => each.begun?.());
    }

    function engineWords(state) {
        const install = state.install;
        if (state.running) {
            const system = engine.system || {}, words = [`Engine ${state.version}`];
            words.push(...(system.devices || []).map((device) => device.label || device.name));
            if (system.free_bytes) words.push(`${dom.sizeWords(system.free_bytes)} free for films`);
            return words.join(" · ");
        }
        if (install.state === "ready") return "The engine is ready; it starts with the first plan.";
        if (install.state === "installing") return `Setting up the engine, step ${Math.max(1, install.step)} of ${install.steps}: ${install.message}`;
        return install.message;
    }

    Object.assign(engine, { build, refresh });
})();
