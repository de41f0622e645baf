/* The models that are there, and what the chosen one recommends for the Wan tab's empty boxes. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, server, form, models] = ["page", "server", "form", "models"].map(part);

    let known = [];

    async function load() {
        await server.attempt(async () => {
            known = (await server.ask("models", {})).models || [];
            suggest();
        });
    }

    /** Empty boxes show what the chosen model recommends. */
    function suggest() {
        const chosen = form.valueOf("model");
        const model = known.find((each) => each.path === chosen || chosen.startsWith(`${each.name} (`)) || known.find((each) => each.path === "");
        const words = page.own[model ? model.family : ""] || page.own[page.embedded];
        for (const [name, text] of Object.entries(words)) {
            const target = form.input(name);
            if (target) target.placeholder = text;
        }
        // A list has no placeholder in gradio.
        if (form.input("model")) form.input("model").placeholder = "the embedded small model";
        for (const name of ["i2v_model", "flf2v_model"]) if (form.input(name)) form.input(name).placeholder = "the model above, if it can";
    }

    function clicked(event) {
        if (event.target.closest("#wan_models_refresh")) load();
    }

    Object.assign(models, { begun: load, clicked, suggest });
})();
