/* The Wan tab's presets, and project files in and out.
 *
 * A page's `files` say what it takes: accept (endings), title, many (several at once), take(files); and what it gives:
 * exports, each with id, text, title and give(). Presets belong to the page Film. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, film, pages, tools] = ["dom", "server", "film", "pages", "tools"].map(part);

    function build(mount) {
        tools.presets = dom.el("select", { class: "wan-select", id: "wan_presets", "aria-label": "Presets", title: "Fills the form with the settings that are kept under a name", onchange: () => server.attempt(usePreset) });
        tools.name = dom.el("input", { class: "wan-input", type: "text", id: "wan_preset_name", placeholder: "name of the preset", "aria-label": "Name of the new preset", maxlength: "60",
            onkeydown: (event) => { if (event.key === "Enter") server.attempt(savePreset); if (event.key === "Escape") openNaming(false); } });
        tools.naming = dom.el("span", { class: "wan-naming wan-hidden" }, tools.name, dom.button("Save", () => server.attempt(savePreset), { id: "wan_preset_save", title: "Keeps the form under this name, in place of what was there" }), dom.button("Cancel", () => openNaming(false), { id: "wan_preset_cancel", title: "Keeps nothing" }));
        tools.open = dom.button("Save as preset", () => openNaming(true), { id: "wan_preset_new", title: "Keeps the form under a name" });
        tools.remove = dom.button("Delete preset", () => server.attempt(removePreset), { id: "wan_preset_delete", title: "Forgets the chosen preset" });
        tools.file = dom.el("input", { type: "file", class: "wan-hidden", id: "wan_import_file", onchange: () => server.attempt(takeFiles) });
        tools.deforum = dom.button("Take over from Deforum", () => server.attempt(tools.takeOver), { id: "wan_deforum", title: "Fills the form with the prompts and settings of the Deforum tab" });
        tools.film = dom.el("span", { class: "wan-tools" }, tools.presets, tools.open, tools.naming, tools.remove);
        tools.files = dom.el("span", { class: "wan-tools" });
        dom.fill(mount, dom.el("div", { class: "wan-tools" }, tools.film, dom.el("span", { class: "wan-space" }), tools.files, tools.file, tools.deforum));
        drawPresets([]);
        drawFiles();
    }

    /** The buttons of the open page. */
    function drawFiles() {
        if (!tools.files || !pages.name) return;
        const onFilm = pages.name === "film", { files } = pages.open();
        dom.show(tools.film, onFilm);
        dom.show(tools.deforum, onFilm && Boolean(tools.deforumTab()));
        dom.show(dom.inTab("#wan_tools"), onFilm || Boolean(files));
        if (!files) { dom.fill(tools.files); return; }
        tools.file.accept = files.accept;
        tools.file.multiple = Boolean(files.many);
        dom.fill(tools.files, dom.button("Import", () => tools.file.click(), { id: "wan_import", title: files.title }),
            ...files.exports.map(({ id, text, title, give }) => dom.button(text, () => server.attempt(give), { id, title })));
    }

    function openNaming(open) {
        dom.show(tools.naming, open);
        dom.show(tools.open, !open);
        if (open) { tools.name.value = tools.presets.value; tools.name.focus(); }
    }

    async function loadPresets(chosen) {
        const answer = await server.api("presets").catch(() => null);
        if (answer) drawPresets(answer.presets || [], chosen);
    }

    function drawPresets(names, chosen) {
        dom.fill(tools.presets, dom.el("option", { value: "", text: names.length ? "Presets" : "No presets yet" }),
            ...names.map((name) => dom.el("option", { value: name, text: name, selected: name === chosen })));
        tools.presets.disabled = !names.length;
        dom.show(tools.remove, Boolean(tools.presets.value));
    }

    async function usePreset() {
        const name = tools.presets.value;
        dom.show(tools.remove, Boolean(name));
        if (!name) return;
        const preset = await server.api(`presets/${encodeURIComponent(name)}`);
        await film.restore(preset);
    }

    async function savePreset() {
        const name = tools.name.value.trim();
        if (!name) { tools.name.focus(); return; }
        const answer = await server.ask("send", { action: "save_preset", name });
        if (answer.failed) return;
        openNaming(false);
        await loadPresets(name);
    }

    async function removePreset() {
        await server.api(`presets/${encodeURIComponent(tools.presets.value)}`, { method: "DELETE" });
        await loadPresets();
    }

    async function takeFiles() {
        const files = [...tools.file.files];
        tools.file.value = "";
        if (files.length) await pages.open().files.take(files);
    }

    async function takeProject(project, name) {
        const answer = await server.ask("fill", { project, name });
        if (!answer.failed) tellOf(`Taken in: ${name}.`, answer.notes);
        film.changed();
    }

    function tellOf(words, notes) {
        server.tell([words, ...(notes || [])].map((message) => ({ message })), "wan-news");
    }

    /** Give the user a text as a file, and say what it could not hold. */
    function save(name, text, notes) {
        const link = dom.el("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: name });
        if (notes && notes.length) tellOf(`Exported: ${name}.`, notes);
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }

    Object.assign(tools, { build, begun: loadPresets, drawFiles, takeProject, tellOf, save });
})();
