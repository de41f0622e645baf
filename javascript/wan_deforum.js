/* Takes prompts and settings over from an installed Deforum tab of the same page. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [tools] = ["tools"].map(part);

    function deforumTab() {
        const host = typeof gradioApp === "function" ? gradioApp() : document;
        return host.querySelector("#tab_deforum_interface, #deforum_interface");
    }

    /** Labels of Deforum's controls and the keys of its settings file. */
    const DEFORUM = {
        "Prompts": "prompts", "Prompts positive": "animation_prompts_positive", "Prompts negative": "animation_prompts_negative",
        "Max frames": "max_frames", "FPS": "fps", "Width": "W", "Height": "H", "Seed": "seed", "Seed behavior": "seed_behavior",
        "Seed iter N": "seed_iter_N", "Seed schedule": "seed_schedule", "CFG scale schedule": "cfg_scale_schedule", "Batch name": "batch_name",
        "Make GIF": "make_gif",
    };
    const DEFORUM_NUMBERS = ["max_frames", "fps", "W", "H", "seed", "seed_iter_N"];

    async function takeOver() {
        const settings = {};
        for (const block of deforumTab().querySelectorAll("label, fieldset, .block")) {
            const label = block.querySelector("span")?.textContent.trim(), key = DEFORUM[label];
            const target = block.querySelector("textarea, input[type=number], input[type=text], input[type=checkbox], input[type=radio]:checked");
            if (!key || !target || key in settings) continue;
            if (target.type === "checkbox") settings[key] = target.checked;
            else settings[key] = DEFORUM_NUMBERS.includes(key) ? Number(target.value) : target.value;
        }
        if (!settings.prompts) throw new Error("Deforum's prompts were not found in the page.");
        try {
            settings.prompts = JSON.parse(settings.prompts);
        } catch (error) {
            throw new Error(`Deforum's prompts are no JSON: ${error.message}`);
        }
        await tools.takeProject(JSON.stringify(settings), "Deforum's tab");
    }

    Object.assign(tools, { deforumTab, takeOver });
})();
