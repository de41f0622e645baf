/* The models that are there, and what the chosen one recommends for the Wan tab's empty boxes. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, dom, server, form, models] = ["page", "dom", "server", "form", "models"].map(part);

    let known = [];

    async function load() {
        await server.attempt(async () => {
            known = (await server.ask("models", {})).models || [];
            suggest();
        });
    }

    /** Below the picker: what the chosen model is made of, what it lacks and where that could come from. */
    function details(model) {
        const picker = dom.inTab("#wan_model");
        if (!picker) return;
        let place = dom.inTab("#wan_model_details");
        if (!place) {
            place = dom.el("div", { id: "wan_model_details", class: "wan-quiet", "aria-live": "polite" });
            picker.after(place);
        }
        const missing = (model && model.missing) || [], notes = (model && model.notes) || [];
        const parts = Object.entries((model && model.parts) || {}).filter(([, path]) => path !== model.path);
        const lines = parts.map(([name, path]) => dom.el("div", { text: `${name}: ${path}` }));
        dom.fill(place,
            ...missing.map(lack),
            missing.length ? dom.el("div", { text: model.remedy }) : null,
            ...notes.map((text) => dom.el("div", { text })),
            lines.length ? dom.el("details", {}, dom.el("summary", { text: "Its files", title: "The files that the chosen model is made of" }), ...lines) : null);
        dom.show(place, missing.length + notes.length + lines.length > 0);
    }

    /** A missing part: what it is, and quietly where it could come from. */
    function lack(text) {
        const [what, ...sources] = text.split("; ");
        return dom.el("div", { class: "wan-lack" }, dom.el("div", { text: what }),
            sources.length ? dom.el("div", { class: "wan-quiet", text: sources.join("; ") }) : null);
    }

    /** Empty boxes show what the chosen model recommends. */
    function suggest() {
        const chosen = form.valueOf("model");
        const model = known.find((each) => each.kind === "model" && (each.path === chosen || each.label === chosen)) || known.find((each) => each.path === "");
        details(chosen ? model : null);
        const words = page.own[model ? model.family : ""] || page.own[page.embedded];
        for (const [name, text] of Object.entries(words)) {
            const target = form.input(name);
            if (target) target.placeholder = text;
        }
        // A list has no placeholder in gradio.
        if (form.input("model")) form.input("model").placeholder = "the embedded small model";
        for (const name of ["i2v_model", "flf2v_model", "vace_model"]) if (form.input(name)) form.input(name).placeholder = "the model above, if it can";
    }

    function clicked(event) {
        if (event.target.closest("#wan_models_refresh")) load();
    }

    Object.assign(models, { begun: load, clicked, suggest });
})();
