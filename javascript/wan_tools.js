/* The Wan tab's presets, and project files in and out. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, timeline, tools] = ["dom", "server", "timeline", "tools"].map(part);

    function build(mount) {
        tools.presets = dom.el("select", { class: "wan-select", id: "wan_preset", "aria-label": "Presets", onchange: () => server.attempt(usePreset) });
        tools.name = dom.el("input", { class: "wan-input", type: "text", placeholder: "name of the preset", "aria-label": "Name of the new preset", maxlength: "60",
            onkeydown: (event) => { if (event.key === "Enter") server.attempt(savePreset); if (event.key === "Escape") openNaming(false); } });
        tools.naming = dom.el("span", { class: "wan-naming wan-hidden" }, tools.name, dom.button("Save", () => server.attempt(savePreset), { id: "wan_preset_save" }), dom.button("Cancel", () => openNaming(false)));
        tools.open = dom.button("Save as preset", () => openNaming(true));
        tools.remove = dom.button("Delete preset", () => server.attempt(removePreset));
        tools.file = dom.el("input", { type: "file", accept: ".txt,.json,.yaml,.yml", class: "wan-hidden", id: "wan_import_file", onchange: () => server.attempt(importFile) });
        tools.deforum = dom.button("Take over from Deforum", () => server.attempt(tools.takeOver), { id: "wan_deforum" });
        dom.fill(mount, dom.el("div", { class: "wan-tools" }, tools.presets, tools.open, tools.naming, tools.remove, dom.el("span", { class: "wan-space" }),
            dom.button("Import", () => tools.file.click(), { id: "wan_import", title: "A project file, a Deforum settings file, or prompts" }), tools.file,
            dom.button("Export", () => server.attempt(() => exportFile("project", "film.json")), { id: "wan_export", title: "The form as a project file" }),
            dom.button("Export for Deforum", () => server.attempt(() => exportFile("deforum", "film_settings.txt")), { id: "wan_export_deforum", title: "The form as a settings file that Deforum loads" }),
            tools.deforum));
        drawPresets([]);
        dom.show(tools.deforum, Boolean(tools.deforumTab()));
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
        await server.ask("fill", { settings: preset });
        timeline.changed();
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

    async function importFile() {
        const file = tools.file.files[0];
        if (!file) return;
        const project = await file.text();
        tools.file.value = "";
        await takeProject(project, file.name);
    }

    async function takeProject(project, name) {
        const answer = await server.ask("fill", { project, name });
        if (!answer.failed) {
            const notes = [`Taken in: ${name}.`, ...(answer.notes || [])];
            server.tell(notes.map((message) => ({ message })), "wan-news");
        }
        timeline.changed();
    }

    async function exportFile(kind, name) {
        const answer = await server.ask("send", { action: "export", form: kind });
        if (!answer.text) return;
        const link = dom.el("a", { href: URL.createObjectURL(new Blob([answer.text], { type: "application/json" })), download: name });
        if (answer.notes.length) server.tell([`Exported: ${name}.`, ...answer.notes].map((message) => ({ message })), "wan-news");
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }

    Object.assign(tools, { build, begun: loadPresets, takeProject });
})();
