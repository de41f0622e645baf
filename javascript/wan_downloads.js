/* The Wan tab's panel "Get models": what can be downloaded, the licence to accept, and how a download stands. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, dom, server, models, downloads] = ["page", "dom", "server", "models", "downloads"].map(part);

    const STATES = { there: "here", part: "in part", running: "downloading", failed: "failed", cancelled: "stopped" };
    const CHIPS = { there: "done", running: "running", failed: "failed", cancelled: "cancelled" };
    const GET = { absent: "Download", part: "Go on" };
    const KINDS = ["Sets: all that one kind of work needs", "Whole models", "Transformers in one file", "Parts and helpers"];

    let known = [], shown = "", timer = null;

    function build(mount) {
        downloads.strip = dom.el("div", { class: "wan-download-now wan-hidden", role: "status" });
        downloads.ask = dom.el("div", { class: "wan-download-ask wan-hidden" });
        downloads.search = dom.el("input", { class: "wan-input", type: "search", id: "wan_downloads_search", placeholder: "Search: vace, gguf, 1.3b", "aria-label": "Search what can be downloaded", oninput: drawTable });
        downloads.told = dom.el("p", { class: "wan-quiet" });
        downloads.body = dom.el("tbody");
        const heads = ["Name", "About", "Licence", ""].map((text) => dom.el("th", { scope: "col", text }));
        const table = dom.el("table", { class: "wan-downloads" }, dom.el("thead", {}, dom.el("tr", {}, ...heads)), downloads.body);
        downloads.scroll = dom.el("div", { class: "wan-download-scroll", tabindex: "0", role: "region", "aria-label": "What can be downloaded" }, table);
        downloads.details = dom.el("details", { class: "wan-details", id: "wan_downloads", ontoggle: () => { if (downloads.details.open) load(); } },
            dom.el("summary", { text: "Get models", title: "Lists the models that can be downloaded by name" }), downloads.told, downloads.search, downloads.ask, downloads.scroll);
        dom.fill(mount, downloads.strip, downloads.details);
    }

    /** The whole table anew; a download that runs is followed. */
    async function load() {
        try {
            known = await server.api("downloads");
            drawTold(page.restriction ? `Downloads are off: ${page.restriction}.` : "Models come from the Hugging Face hub, into the engine's folder of models.");
        } catch (error) {
            known = [];
            drawTold(`${error.message}. ${error.remedy || ""}`);
        }
        const running = known.find((each) => each.state === "running");
        if (running) follow(running.name);
        drawTable();
    }

    function drawTold(text) {
        downloads.told.textContent = text;
    }

    function kindOf(entry) {
        if (entry.items.length) return 0;
        if (entry.parts.includes("transformer") && entry.parts.length > 1) return 1;
        return entry.parts.some((each) => each.startsWith("transformer")) ? 2 : 3;
    }

    function drawTable() {
        const words = downloads.search.value.toLowerCase().split(/\s+/).filter(Boolean);
        const fits = (entry) => words.every((word) => `${entry.name} ${entry.what} ${entry.licence}`.toLowerCase().includes(word));
        const rows = KINDS.flatMap((title, kind) => {
            const found = known.filter((entry) => kindOf(entry) === kind && fits(entry));
            const head = dom.el("tr", {}, dom.el("th", { class: "wan-download-kind", colspan: "4", scope: "rowgroup", text: title }));
            return found.length ? [head, ...found.map(row)] : [];
        });
        dom.fill(downloads.body, ...rows);
        dom.show(downloads.scroll, rows.length > 0);
        dom.show(downloads.search, known.length > 0);
        downloads.details.dataset.entries = known.length;
    }

    function row(entry) {
        const state = STATES[entry.state], chip = state ? dom.el("span", { class: `wan-chip wan-state-${CHIPS[entry.state] || "idle"}`, text: state }) : null;
        const busy = known.find((each) => each.state === "running");
        const get = dom.button(GET[entry.state] || "Try again", () => openAsk(entry), { "aria-label": `Download ${entry.name}`, "data-key": `${entry.name}/get` });
        const why = page.restriction || (busy ? `${busy.name} is being downloaded` : "");
        get.disabled = Boolean(why);
        get.title = why || "Shows size, folder and licence first";
        const needs = entry.needs.length ? `; films need ${entry.needs.join(", ")} too` : "";
        const words = entry.items.length ? entry.items.join(", ") : `${entry.what}${needs}`;
        return dom.el("tr", { "data-name": entry.name },
            dom.el("td", {}, dom.el("span", { class: "wan-download-name", text: entry.name }), dom.el("span", { class: "wan-quiet", text: words })),
            dom.el("td", { class: "wan-download-size", text: dom.sizeWords(entry.size) }),
            dom.el("td", {}, licence(entry)),
            dom.el("td", { class: "wan-download-do" }, chip, entry.state === "there" || entry.state === "running" ? null : get));
    }

    function licence(entry) {
        if (!entry.page) return dom.el("span", { text: entry.licence });
        return dom.el("a", { href: entry.page, target: "_blank", rel: "noreferrer", text: entry.licence, title: `Read it at ${entry.page}` });
    }

    /** Ask for the licence's acceptance before anything is fetched. */
    function openAsk(entry) {
        const accept = dom.el("input", { type: "checkbox", id: "wan_download_accept", title: "Without it nothing is fetched", onchange: () => { start.disabled = !accept.checked; } });
        const start = dom.button("Start the download", () => server.attempt(() => begin(entry)), { class: "wan-button wan-primary", id: "wan_download_start", title: "Fetches it in the background; the page may be closed", disabled: true });
        const items = entry.items.length ? known.filter((each) => entry.items.includes(each.name)) : [entry], many = items.length > 1;
        dom.fill(downloads.ask,
            dom.el("p", {}, dom.el("strong", { text: entry.name }), ` about ${dom.sizeWords(entry.size)}, goes to `, dom.el("code", { text: entry.folder })),
            ...items.map((each) => terms(each, many)),
            dom.el("label", { class: "wan-download-accept" }, accept, many ? " I have read these licences and accept them" : " I have read this licence and accept it"),
            dom.el("div", { class: "wan-job-actions" }, start, dom.button("Not now", closeAsk, { id: "wan_download_not_now", title: "Fetches nothing" })));
        dom.show(downloads.ask, true);
        downloads.ask.scrollIntoView({ block: "nearest" });
        accept.focus();
    }

    /** An entry's licence and where to accept it; of one among several with its name and size. */
    function terms(entry, many) {
        const gated = entry.gated ? " Its files are given only to accounts that have accepted it on that page: the engine needs such an account's token in HF_TOKEN." : "";
        const start = many ? `${entry.name} (${entry.state === "there" ? "here" : dom.sizeWords(entry.size)}), licence: ` : "Licence: ";
        return dom.el("p", {}, start, licence(entry), gated ? dom.el("span", { class: "wan-quiet", text: gated }) : null);
    }

    function closeAsk() {
        dom.show(downloads.ask, false);
        dom.fill(downloads.ask);
    }

    async function begin(entry) {
        put(await server.api("downloads", { method: "POST", body: { name: entry.name, accept_licence: true } }));
        closeAsk();
        follow(entry.name);
        drawTable();
    }

    function put(entry) {
        known = known.map((each) => (each.name === entry.name ? entry : each));
    }

    /** Look at a download until it has ended, also after the page was loaded anew. */
    function follow(name) {
        shown = name;
        clearTimeout(timer);
        const look = async () => {
            let entry = null;
            try {
                entry = await server.api(`downloads/${name}`);
                put(entry);
                // A button that is taken away while it is pressed would lose its click.
                if (entry.state !== "running" || !downloads.strip.matches(":active")) drawNow(entry);
            } catch (error) {
                dom.fill(downloads.strip, dom.el("span", { text: `${name}: ${error.message}. ${error.remedy || ""}` }));
            }
            if (!entry || entry.state === "running") {
                clearTimeout(timer); // another look may have begun meanwhile
                timer = setTimeout(look, server.POLL_RUNNING);
                return;
            }
            await load(); // what a set brought stands in rows of its own
            if (entry.state === "there") models.begun();
        };
        look();
    }

    function drawNow(entry) {
        const progress = entry.progress || { doing: "", file: "", done: 1, total: 1 };
        const share = progress.total ? progress.done / progress.total : 0;
        const bar = dom.el("div", { class: "wan-bar", role: "progressbar", "aria-label": `Download of ${entry.name}`, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": Math.round(share * 100) }, dom.el("i"));
        bar.firstChild.style.width = `${share * 100}%`;
        const running = entry.state === "running", failed = entry.state === "failed";
        const stop = dom.button("Cancel", () => server.attempt(async () => { stop.disabled = true; put(await server.api(`downloads/${entry.name}`, { method: "DELETE" })); }), { id: "wan_download_cancel", title: "Stops the download; what came is kept" });
        const close = dom.button("Close", () => { shown = ""; dom.show(downloads.strip, false); }, { id: "wan_download_close", title: "Takes these lines away" });
        const files = failed && entry.error ? entry.error.files : [];
        dom.fill(downloads.strip,
            dom.el("div", { class: "wan-head" }, dom.el("strong", { text: entry.name }), dom.el("span", { class: "wan-status", text: words(entry, progress) }), dom.el("span", { class: "wan-space" }),
                running ? stop : close),
            running ? bar : null,
            running && progress.file ? dom.el("span", { class: "wan-quiet", text: progress.file }) : null,
            failed && entry.error ? dom.el("p", { class: "wan-download-failed", text: `${entry.error.message}. ${entry.error.remedy}${files.length ? ":" : ""}` }) : null,
            files.length ? dom.el("pre", { class: "wan-log", tabindex: "0", "aria-label": "Files to fetch by hand", text: files.map(byHand).join("\n") }) : null);
        downloads.strip.dataset.state = entry.state;
        dom.show(downloads.strip, shown === entry.name);
    }

    function byHand(file) {
        const size = file.size ? ` (${dom.sizeWords(file.size)})` : "";
        return `${file.repository}: ${file.file}${size} -> ${file.folder}`;
    }

    function words(entry, progress) {
        if (entry.state === "there") return "is here";
        if (entry.state !== "running") return STATES[entry.state] || "";
        if (progress.doing === "listing") return "asking the hub for its files";
        if (progress.doing === "checking") return "comparing checksums";
        const figures = [`${dom.sizeWords(progress.done)} of ${dom.sizeWords(progress.total)}`];
        if (progress.speed) figures.push(`${dom.sizeWords(progress.speed)}/s`);
        if (progress.seconds_left !== null) figures.push(`${dom.duration(progress.seconds_left)} left`);
        return figures.join(" · ");
    }

    Object.assign(downloads, { build, begun: load });
})();
