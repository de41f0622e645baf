/* The Wan tab's ways to its server: the API under wan/v1/, and Python's handlers behind hidden buttons. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, dom, server, timeline, engine] = ["page", "dom", "server", "timeline", "engine"].map(part);

    const ANSWER_TIMEOUT = 180000; // ms that a handler may take
    const PRESS_AGAIN = 700; // ms after which a click that nobody heard is made again
    const POLL_RUNNING = 2000, POLL_IDLE = 12000; // ms between looks at jobs and engine

    function address(path) {
        const folder = location.pathname.endsWith("/") ? location.pathname : `${location.pathname}/`;
        return `${location.origin}${folder}wan/v1/${path}`;
    }

    /** A file's address from the engine's own, which begins at the engine's root. */
    function fileAddress(url) {
        return address(url.replace(/^.*?wan\/v1\//, ""));
    }

    class ServerError extends Error {
        constructor(problem, status) {
            super(problem.detail || problem.title || `The server answered ${status}`);
            this.remedy = problem.remedy || "";
            this.problems = problem.problems || [];
            this.status = status;
        }
    }

    async function api(path, options) {
        const { method = "GET", body, file } = options || {};
        const headers = { Accept: "application/json" };
        if (method !== "GET") headers["X-Wan"] = "tab";
        if (body !== undefined) headers["Content-Type"] = "application/json";
        if (file) headers["Content-Type"] = "application/octet-stream";
        let answer;
        try {
            answer = await fetch(address(path), {
                method, headers, credentials: "same-origin", cache: "no-store",
                body: file || (body === undefined ? undefined : JSON.stringify(body)),
            });
        } catch {
            throw new ServerError({ detail: "The page's server does not answer", remedy: "Is it still running?" }, 0);
        }
        const text = await answer.text();
        let values = {};
        try {
            values = text ? JSON.parse(text) : {};
        } catch {
            values = { detail: `The server answered ${answer.status} and no JSON` };
            if (answer.ok) throw new ServerError(values, answer.status);
        }
        if (!answer.ok) throw new ServerError(values, answer.status);
        return values;
    }

    /** Send a picture, film or sound; the answer holds its path at the engine. */
    function upload(file) {
        return api(`uploads?name=${encodeURIComponent(file.name)}`, { method: "POST", file });
    }

    /** Do something; what goes wrong is told beside the buttons. */
    async function attempt(work) {
        try {
            return await work();
        } catch (error) {
            tell(error.problems && error.problems.length ? error.problems : [{ message: error.message, remedy: error.remedy || "" }]);
            if (!(error instanceof ServerError)) console.error(error);
            return undefined;
        }
    }

    /** The button that leads to a problem's place; form.clicked hears it. */
    function place(problem) {
        if (!problem.field) return null;
        const words = [problem.field.replaceAll("_", " "), problem.key ? `key "${problem.key}"` : "", ...["line", "column"].map((name) => (problem[name] ? `${name} ${problem[name]}` : ""))];
        const button = dom.el("button", { type: "button", class: "wan-place", title: "Goes there", text: words.filter(Boolean).join(", ") });
        for (const name of ["field", "key", "line", "column", "part"]) if (problem[name]) button.dataset[name] = problem[name];
        return dom.el("span", {}, button, " ");
    }

    function tell(problems, kind) {
        const target = dom.inTab("#wan_told");
        if (!target) return;
        const said = (text) => (kind || /[.!?]$/.test(text) ? text : `${text}.`);
        const items = problems.map((problem) => dom.el("li", {}, place(problem),
            dom.el("span", { text: said(problem.message) }),
            problem.remedy ? dom.el("span", { class: "wan-remedy", text: ` ${problem.remedy}` }) : null));
        const list = dom.el("ul", {}, ...items);
        setTimeout(timeline.markProblems, 0);
        dom.fill(target, problems.length ? dom.el("div", { class: kind || "wan-problems", role: "status" }, list) : null);
    }

    const outbox = {}; // notes that wait, by the name of their hidden button
    const waiting = new Map(), turns = {}; // what hears an answer, by its number; the last question of each hidden button
    let lastNumber = 0;

    /** Called by gradio before it sends: puts the note into the first input. */
    function post(name, values, count) {
        const inputs = values.slice(0, count);
        inputs[0] = (outbox[name] || []).shift() || "";
        return inputs;
    }

    /** The answer of Python's handler behind the hidden button wan_do_<name>; one question at a time for each. */
    function ask(name, note, patience = ANSWER_TIMEOUT) {
        lastNumber += 1;
        const number = lastNumber, before = turns[name], put = () => press(name, number, JSON.stringify({ ...note, number }), patience);
        turns[name] = before ? before.then(put, put) : put();
        return turns[name];
    }

    function press(name, number, letter, patience) {
        outbox[name] = outbox[name] || [];
        outbox[name].push(letter);
        return new Promise((resolve, reject) => {
            let again = null;
            const timer = setTimeout(() => {
                clearInterval(again);
                waiting.delete(number);
                outbox[name] = outbox[name].filter((each) => each !== letter);
                reject(new ServerError({ detail: "The page's server does not answer", remedy: "Try again" }, 0));
            }, patience);
            waiting.set(number, (answer) => { clearTimeout(timer); clearInterval(again); resolve(answer); });
            // A page that is still being put together, or that waits for the answer before, hears no click.
            const click = () => { if (outbox[name].includes(letter)) dom.inTab(`#wan_do_${name}`).click(); else clearInterval(again); };
            again = setInterval(click, PRESS_AGAIN);
            click();
        });
    }

    /** The number that the next question gets. */
    function nextNumber() {
        return lastNumber + 1;
    }

    /** Hand on the answers that have come: each hidden button has a mailbox of its own, where the last answer stays. */
    function readMailboxes() {
        for (const letter of page.root.querySelectorAll("#wan_wires [data-answer]")) {
            const number = Number(letter.dataset.number), resolve = waiting.get(number);
            if (!resolve) continue;
            waiting.delete(number);
            resolve(JSON.parse(letter.dataset.answer));
            // Most questions start the engine: its strip, jobs and presets need not wait for the next look.
            if (engine.ready && !engine.running) engine.refresh();
        }
    }

    tab.post = post;
    Object.assign(server, { ANSWER_TIMEOUT, POLL_RUNNING, POLL_IDLE, address, fileAddress, api, upload, attempt, tell, ask, nextNumber, readMailboxes });
})();
