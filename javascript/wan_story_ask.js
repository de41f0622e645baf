/* The long prompt on the page Storyboard: who plans it, what that would cost, and what stays the same in the whole film. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, engine, storyboard, strip, ask] = ["dom", "server", "engine", "storyboard", "storyStrip", "storyAsk"].map(part);

    const ESTIMATE_DELAY = 900; // ms without typing before the costs are asked for
    const UPTO = { storyboard: "the storyboard", pictures: "its pictures", film: "the film" };
    const EXAMPLE = "Style: oil painting\nA boat leaves the harbour at dawn (3 s). The storm comes (4 s). The boat comes home.";

    let timer = null;

    function make() {
        const wanted = storyboard.state.ask, heard = (name) => (event) => { wanted[name] = event.target.value; storyboard.changed(); estimate(); };
        ask.text = dom.el("textarea", { class: "wan-input", id: "wan_story_text", rows: "5", placeholder: EXAMPLE, oninput: heard("text") });
        ask.planner = dom.el("select", { class: "wan-select", id: "wan_story_planner", onchange: heard("planner") });
        ask.seconds = dom.el("input", { class: "wan-input wan-kf-seconds", type: "text", inputmode: "decimal", id: "wan_story_seconds", placeholder: "auto", oninput: heard("seconds") });
        ask.count = dom.el("input", { class: "wan-input wan-kf-seconds", type: "text", inputmode: "numeric", id: "wan_story_segments", placeholder: "auto", oninput: heard("segments") });
        ask.upto = dom.el("select", { class: "wan-select", id: "wan_story_upto", onchange: heard("upto") }, ...Object.entries(UPTO).map(([value, text]) => dom.el("option", { value, text })));
        ask.go = dom.button("Plan", () => server.attempt(storyboard.planStory), { id: "wan_story_plan", title: "Makes segments and keyframes of the long prompt" });
        ask.words = dom.el("p", { class: "wan-quiet", id: "wan_story_estimate", "aria-live": "polite" });
        ask.used = dom.el("p", { class: "wan-quiet", id: "wan_story_used", "aria-live": "polite", title: "What the last planning took, as the service counted it" });
        const labelled = (text, box, title) => dom.el("label", { class: "wan-story-field", title }, `${text} `, box);
        ask.fields = dom.el("fieldset", { class: "wan-plain" },
            dom.el("label", { class: "wan-field", title: "What the film tells, in sentences: Plan makes segments of it." }, dom.el("span", { class: "wan-label", text: "Long prompt" }), ask.text),
            dom.el("div", { class: "wan-story-row" }, labelled("Planned by", ask.planner, "Who makes segments of the long prompt."), labelled("Seconds", ask.seconds, "Length of the whole film."),
                labelled("Segments", ask.count, "How many segments the film has."), labelled("Go on to", ask.upto, "How far the work goes without asking again.")),
            dom.el("div", { class: "wan-story-row" }, ask.words, dom.el("span", { class: "wan-space" }), ask.go), ask.used, shared());
        return dom.el("div", { class: "wan-panel" }, ask.fields);
    }

    /** What is put behind the words of every segment and keyframe. */
    function shared() {
        const story = () => storyboard.state.story, heard = (name) => (event) => { story()[name] = event.target.value; storyboard.changed(); };
        const box = (name, placeholder) => (ask[name] = dom.el("input", { class: "wan-input wan-wide", type: "text", id: `wan_story_${name}`, placeholder, oninput: heard(name) }));
        ask.characters = dom.el("textarea", { class: "wan-input", rows: "2", id: "wan_story_characters", placeholder: "Mara: a woman of sixty in a yellow raincoat", oninput: () => { story().characters = readCharacters(ask.characters.value); storyboard.changed(); } });
        const labelled = (text, made, title) => dom.el("label", { class: "wan-field", title }, dom.el("span", { class: "wan-label", text }), made);
        return dom.el("details", { class: "wan-details wan-story-shared" }, dom.el("summary", { text: "Title, style, characters, continuity", title: "What stays the same in the whole film" }),
            labelled("Title", box("title", "what the film is called"), "What the film is called in lists."),
            labelled("Style", box("style", "oil painting, evening light"), "Put behind the words of every segment and every keyframe."),
            labelled("Characters, one a line", ask.characters, "Name and look; the look is put behind the words that name the character."),
            labelled("Continuity", box("continuity", "a small stone harbour, calm sea"), "Put behind the words of every segment and every keyframe."));
    }

    function readCharacters(text) {
        return text.split("\n").filter((line) => line.trim()).map((line) => {
            const [name, ...look] = line.split(":");
            return { name: name.trim(), look: look.join(":").trim() };
        });
    }

    function draw() {
        const { ask: wanted, story } = storyboard.state, put = (box, text) => { if (box.value !== String(text ?? "")) box.value = text ?? ""; };
        put(ask.text, wanted.text);
        put(ask.seconds, wanted.seconds);
        put(ask.count, wanted.segments);
        put(ask.upto, wanted.upto);
        ask.used.textContent = storyboard.state.used;
        dom.show(ask.used, storyboard.state.used !== "");
        if (ask.planner.options.length) put(ask.planner, wanted.planner);
        for (const name of ["title", "style", "continuity"]) put(ask[name], story[name]);
        if (document.activeElement !== ask.characters) put(ask.characters, (story.characters || []).map(({ name, look }) => (look ? `${name}: ${look}` : name)).join("\n"));
        ask.fields.disabled = storyboard.isBusy();
    }

    /** Who can plan, and who can make pictures. */
    async function shown() {
        if (!engine.running) return; // it is asked when it begins
        await server.attempt(async () => {
            const services = await server.api("services"), planners = services.filter((each) => each.what === "planner");
            dom.fill(ask.planner, ...planners.map((each) => dom.el("option", { value: each.name, text: each.ready ? [each.name, each.model].filter(Boolean).join(": ") : `${each.name} (not set up)`, title: each.reason, disabled: !each.ready })));
            ask.services = services;
            draw();
            strip.draw();
            estimate();
        });
    }

    /** Whether a language model is set up. */
    function hasModel() {
        return (ask.services || []).some((each) => each.name === "llm" && each.ready);
    }

    function estimate() {
        clearTimeout(timer);
        timer = setTimeout(() => server.attempt(askEstimate), ESTIMATE_DELAY);
    }

    async function askEstimate() {
        const wanted = storyboard.state.ask, { text, planner } = wanted;
        if (!text.trim()) { ask.words.textContent = ""; return; }
        const { film, pictures } = await server.ask("storyboard_read", {});
        let found = null;
        try {
            found = await server.api("storyboards/estimate", { method: "POST", body: { text, planner, seconds: dom.number(wanted.seconds) ?? 0, segments: dom.number(wanted.segments) ?? 0, film, pictures } });
        } catch (error) {
            ask.words.textContent = `${error.message}`;
            return;
        }
        const offer = (ask.services || []).find((each) => each.what === "pictures" && each.name === (pictures.provider || "tiny"));
        ask.words.textContent = [found.words, found.pictures.words, offer && !offer.ready ? offer.reason : ""].filter(Boolean).join(" · ");
    }

    Object.assign(ask, { make, draw, shown, estimate, hasModel });
})();
