/* The moving parts of the Wan tab: the live plan, the running film, jobs, presets and the engine's state.
 *
 * Works in gradio 3.41 and 4.40 (the WebUIs) and 6 (the page of its own). It talks to the page's own server under
 * wan/v1/. What needs the form's values goes through hidden buttons: see scripts/wan_webui/tab.py.
 * Texts of users and of the engine are only ever set as textContent.
 */
(function () {
    "use strict";

    const PLAN_DELAY = 250; // ms without typing before the plan is asked for
    const ANSWER_TIMEOUT = 180000; // ms that a handler may take
    const PRESS_AGAIN = 700; // ms after which a click that nobody heard is made again
    const PLAN_PATIENCE = 20000; // ms after which a plan is asked for again; twice as long each time
    const RETRY_DELAYS = [500, 1000, 2000, 5000]; // ms before events are asked for again
    const POLL_RUNNING = 2000, POLL_IDLE = 12000; // ms between looks at jobs and engine
    const JOBS_SHOWN = 12, LOG_LINES = 200, MOST_CLIP_BUTTONS = 60;
    const ONE_COLUMN = 1024; // px of width below which the style sheet has one column
    const ENDED = ["done", "failed", "cancelled"];
    const STATE_WORDS = { queued: "waiting", running: "rendering", done: "finished", failed: "failed", cancelled: "stopped" };
    const CLIP_EVENTS = ["clip_started", "decoding", "clip_done"];
    const NO_TITLE = "Untitled film";

    let root = null; // the tab's element
    let page = {}; // what Python wrote for the script: help texts, values of empty boxes
    let restriction = ""; // why costly things may not be done here

    // ------------------------------------------------------------------------------------------------ small helpers

    const inTab = (selector) => root.querySelector(selector);

    function el(tag, attributes, ...children) {
        const made = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes || {})) {
            if (value === false || value === null || value === undefined) continue;
            if (name === "class") made.className = value;
            else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
            else if (name === "text") made.textContent = value;
            else made.setAttribute(name, value === true ? "" : value);
        }
        made.append(...children.filter((child) => child !== null && child !== undefined));
        return made;
    }

    function button(text, onclick, attributes) {
        return el("button", { type: "button", class: "wan-button", text, onclick, ...attributes });
    }

    function show(element, visible) {
        element.classList.toggle("wan-hidden", !visible);
    }

    function fill(element, ...children) {
        element.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
    }

    function duration(seconds) {
        if (seconds === null || seconds === undefined || !isFinite(seconds)) return "";
        const whole = Math.max(0, Math.round(seconds));
        const hours = Math.floor(whole / 3600), minutes = Math.floor((whole % 3600) / 60);
        if (hours) return `${hours} h ${minutes} min`;
        return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
    }

    function sizeWords(bytes) {
        const units = ["B", "kB", "MB", "GB", "TB"];
        let size = bytes, unit = 0;
        while (size >= 1000 && unit < units.length - 1) { size /= 1000; unit += 1; }
        return `${Number(size.toPrecision(3))} ${units[unit]}`;
    }

    function clock(seconds) {
        const time = new Date(seconds * 1000), today = new Date().toDateString() === time.toDateString();
        return today ? time.toLocaleTimeString([], { timeStyle: "short" })
            : time.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    }

    function plural(number, word) {
        return `${number} ${word}${number === 1 ? "" : "s"}`;
    }

    // ------------------------------------------------------------------------------------------------- the server

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
        const { method = "GET", body } = options || {};
        const headers = { Accept: "application/json" };
        if (method !== "GET") headers["X-Wan"] = "tab";
        if (body !== undefined) headers["Content-Type"] = "application/json";
        let answer;
        try {
            answer = await fetch(address(path), {
                method, headers, credentials: "same-origin", cache: "no-store",
                body: body === undefined ? undefined : JSON.stringify(body),
            });
        } catch (error) {
            throw new ServerError({ detail: "The page's server does not answer", remedy: "Is it still running?" }, 0);
        }
        const text = await answer.text();
        let values = {};
        try {
            values = text ? JSON.parse(text) : {};
        } catch (error) {
            values = { detail: `The server answered ${answer.status} and no JSON` };
            if (answer.ok) throw new ServerError(values, answer.status);
        }
        if (!answer.ok) throw new ServerError(values, answer.status);
        return values;
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

    function tell(problems, kind) {
        const target = inTab("#wan_told");
        if (!target) return;
        const items = problems.map((problem) => el("li", {},
            el("span", { text: problem.message }),
            problem.remedy ? el("span", { class: "wan-remedy", text: ` ${problem.remedy}` }) : null));
        const list = el("ul", {}, ...items);
        fill(target, problems.length ? el("div", { class: kind || "wan-problems", role: "status" }, list) : null);
    }

    // -------------------------------------------------------------- the way to Python's handlers and their answers

    const outbox = { plan: [], send: [], fill: [], models: [] };
    const waiting = new Map();
    let lastNumber = 0;

    /** Called by gradio before it sends: puts the note into the first input. */
    function post(name, values, count) {
        const inputs = values.slice(0, count);
        inputs[0] = outbox[name].shift() || "";
        return inputs;
    }

    function ask(name, note, patience = ANSWER_TIMEOUT) {
        lastNumber += 1;
        const number = lastNumber, letter = JSON.stringify({ ...note, number });
        outbox[name].push(letter);
        return new Promise((resolve, reject) => {
            let press = null;
            const timer = setTimeout(() => {
                clearInterval(press);
                waiting.delete(number);
                outbox[name] = outbox[name].filter((each) => each !== letter);
                reject(new ServerError({ detail: "The page's server does not answer", remedy: "Try again" }, 0));
            }, patience);
            waiting.set(number, (answer) => { clearTimeout(timer); clearInterval(press); resolve(answer); });
            // A page that is still being put together, or that waits for the answer before, hears no click.
            const click = () => { if (outbox[name].includes(letter)) inTab(`#wan_do_${name}`).click(); else clearInterval(press); };
            press = setInterval(click, PRESS_AGAIN);
            click();
        });
    }

    function readMailbox() {
        const letter = inTab("#wan_answer [data-answer]");
        if (!letter) return;
        const answer = JSON.parse(letter.dataset.answer);
        const resolve = waiting.get(answer.number);
        waiting.delete(answer.number);
        if (resolve) resolve(answer);
        // Most questions start the engine: its strip, jobs and presets need not wait for the next look.
        if (engine.ready && !engine.running) refreshEngine();
    }

    // ------------------------------------------------------------------------------------------------ the live plan

    const plan = { timer: null, busy: false, again: false };

    function changed() {
        if (!root) return;
        inTab("#wan_timeline").classList.add("wan-stale");
        clearTimeout(plan.timer);
        plan.timer = setTimeout(askPlan, PLAN_DELAY);
    }

    async function askPlan() {
        if (plan.busy) {
            plan.again = true; // one question at a time
            return;
        }
        plan.busy = true;
        let patience = PLAN_PATIENCE;
        do {
            plan.again = false;
            const number = lastNumber + 1;
            try {
                await ask("plan", {}, patience);
                if (await isShown(number)) patience = PLAN_PATIENCE;
                else plan.again = true;
            } catch (error) {
                patience *= 2;
                if (patience <= ANSWER_TIMEOUT) plan.again = true;
                else tell([{ message: error.message, remedy: error.remedy || "" }]);
            }
        } while (plan.again);
        plan.busy = false;
        inTab("#wan_timeline").classList.remove("wan-stale");
        markProblems();
    }

    /** If the answer to a question is what the page shows: gradio puts it there a moment after the mailbox. */
    async function isShown(number) {
        for (let look = 0; look < 40; look += 1) {
            const shown = inTab("#wan_timeline [data-number]");
            if (shown && Number(shown.dataset.number) >= number) return true;
            await pause(50);
        }
        return false;
    }

    // ------------------------------------------------------------------------------------- problems and their place

    function input(field) {
        return inTab(`#wan_${CSS.escape(field)} textarea, #wan_${CSS.escape(field)} input`);
    }

    /** Start and end of a problem's place in a text: of its line, and from its column on. */
    function placeInText(text, place) {
        const lines = text.split("\n");
        let line = place.line ? Number(place.line) - 1 : -1;
        if (line < 0 && place.key) line = lines.findIndex((each) => keyOfLine(each) === place.key);
        if (line < 0 || line >= lines.length) return null;
        const start = lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0);
        const column = Number(place.column || 1) - 1, offset = place.line ? 0 : offsetOf(lines[line], place.key, column);
        return { line, start, at: start + Math.min(offset + column, lines[line].length), end: start + lines[line].length };
    }

    /** Where columns of a problem with a key count from: the key, or the text behind it if there is math or --neg. */
    function offsetOf(line, key, column) {
        const behind = /^[^:]*:\s*"?/.exec(line);
        const text = behind ? line.slice(behind[0].length) : "";
        const inText = text.slice(0, column + 1).includes("`") || text.startsWith("--neg", column);
        return inText ? behind[0].length : Math.max(0, line.indexOf(key));
    }

    function keyOfLine(line) {
        return line.split(":")[0].trim().replace(/^["']|["']$/g, "");
    }

    async function goTo(place) {
        const field = place.field || "prompts", folded = input(field);
        if (!folded || !folded.offsetParent) {
            // gradio 6 makes what is folded away only when it is opened.
            inTab(`#wan_more_${page.folds[field]} .label-wrap`)?.click();
            await pause(200);
        }
        const target = input(field);
        if (!target) return;
        target.scrollIntoView({ block: "center", behavior: calm() ? "auto" : "smooth" });
        target.focus({ preventScroll: true });
        if (target.tagName !== "TEXTAREA" && target.type !== "text") return;
        const found = placeInText(target.value, place);
        if (found) target.setSelectionRange(place.column ? found.at : found.start, found.end);
        else if (place.column) target.setSelectionRange(Number(place.column) - 1, target.value.length);
    }

    function calm() {
        return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    }

    /** Mark the fields that problems name, and the lines in the big texts. */
    function markProblems() {
        root.querySelectorAll(".wan-wrong").forEach((each) => each.classList.remove("wan-wrong"));
        root.querySelectorAll(".wan-backdrop").forEach((each) => each.remove());
        const lines = new Map();
        root.querySelectorAll(".wan-problems .wan-place").forEach((each) => {
            const field = each.dataset.field || "prompts", target = input(field);
            if (!target) return;
            const block = target.closest(`#wan_${CSS.escape(field)}`);
            if (block) block.classList.add("wan-wrong");
            if (target.tagName !== "TEXTAREA") return;
            const found = placeInText(target.value, each.dataset);
            if (found) lines.set(target, (lines.get(target) || new Set()).add(found.line));
        });
        lines.forEach((numbers, target) => markLines(target, numbers));
        showRelevant();
    }

    /** A copy of the text behind the text area, in which only the marks are seen. */
    function markLines(target, numbers) {
        const style = getComputedStyle(target), backdrop = el("div", { class: "wan-backdrop", "aria-hidden": "true" });
        for (const name of ["font", "letterSpacing", "lineHeight", "padding", "borderWidth", "textIndent", "tabSize"]) {
            backdrop.style[name] = style[name];
        }
        target.value.split("\n").forEach((line, number) => {
            backdrop.append(numbers.has(number) ? el("mark", { text: line || " " }) : document.createTextNode(line), "\n");
        });
        const holder = target.parentElement;
        holder.classList.add("wan-holder");
        const place = () => {
            backdrop.style.left = `${target.offsetLeft}px`;
            backdrop.style.top = `${target.offsetTop}px`;
            backdrop.style.width = `${target.clientWidth + parseFloat(style.borderLeftWidth) + parseFloat(style.borderRightWidth)}px`;
            backdrop.style.height = `${target.offsetHeight}px`;
            backdrop.scrollTop = target.scrollTop;
        };
        holder.append(backdrop);
        place();
        const drop = () => { backdrop.remove(); target.removeEventListener("scroll", place); };
        target.addEventListener("scroll", place);
        target.addEventListener("input", drop, { once: true });
    }

    // ------------------------------------------------------------------------------------------------ the film stage

    const stage = { id: "", job: null, last: 0, clips: new Set(), log: [], pace: null, round: 0, parts: {}, shown: "" };

    function buildStage(mount) {
        const parts = stage.parts;
        parts.title = el("h3", { class: "wan-title", text: "Film" });
        parts.chip = el("span", { class: "wan-chip" });
        parts.resume = button("Resume", () => attempt(() => resume(stage.id)), { id: "wan_resume" });
        parts.bar = el("div", { class: "wan-bar", role: "progressbar", "aria-label": "Progress of the film", "aria-valuemin": "0", "aria-valuemax": "100" }, el("i"));
        parts.status = el("p", { class: "wan-status", "aria-live": "polite" });
        parts.screen = el("div", { class: "wan-screen" });
        parts.clips = el("div", { class: "wan-clip-buttons", role: "group", "aria-label": "Finished clips" });
        parts.problems = el("div");
        parts.sheet = el("div", { class: "wan-sheet" });
        parts.files = el("ul", { class: "wan-files" });
        parts.log = el("pre", { class: "wan-log", tabindex: "0", "aria-label": "Log of the film" });
        parts.more = el("details", { class: "wan-details" }, el("summary", { text: "Log" }), parts.log);
        const head = el("div", { class: "wan-head" }, parts.title, parts.chip, el("span", { class: "wan-space" }), parts.resume);
        parts.box = el("div", { class: "wan-stage" }, head, parts.bar, parts.status, parts.problems, parts.screen,
            parts.clips, parts.sheet, parts.files, parts.more);
        parts.empty = el("div", { class: "wan-empty" },
            el("p", { text: "The film appears here." }),
            el("p", { class: "wan-quiet", text: "Write prompts, look at the plan, then press Generate." }));
        fill(mount, el("div", { id: "wan_told" }), parts.empty, parts.box);
        show(parts.box, false);
    }

    /** Watch a job from its first event on; another one that is watched is let go. */
    async function follow(id) {
        stage.round += 1;
        const round = stage.round;
        Object.assign(stage, { id, job: null, last: 0, clips: new Set(), log: [], pace: null, shown: "" });
        sessionStorage.setItem("wan_job", id);
        const alive = () => stage.round === round;
        let failures = 0;
        while (alive()) {
            try {
                const job = await api(`jobs/${id}`);
                if (!alive()) return;
                stage.job = job;
                drawStage();
                await listen(id, alive);
                if (!alive()) return;
                failures = 0;
                if (ENDED.includes(stage.job.state)) break;
            } catch (error) {
                if (!alive()) return;
                if (error.status === 404) {
                    sessionStorage.removeItem("wan_job");
                    closeStage();
                    return;
                }
                failures += 1;
                stage.parts.status.textContent = `${error.message}. Trying again.`;
                // A WebUI that is starting may hang for good when it is asked before it is ready.
                if (error.status === 0) await pause(POLL_IDLE);
            }
            await pause(RETRY_DELAYS[Math.min(failures, RETRY_DELAYS.length - 1)]);
        }
        if (!alive()) return;
        await attempt(async () => {
            stage.job = await api(`jobs/${id}`);
            if (!alive()) return;
            drawStage();
            await drawResult();
        });
        refreshJobs();
    }

    function closeStage() {
        stage.round += 1;
        Object.assign(stage, { id: "", job: null });
        show(stage.parts.box, false);
        show(stage.parts.empty, true);
        showInterrupt();
    }

    function pause(milliseconds) {
        return new Promise((resolve) => setTimeout(resolve, milliseconds));
    }

    /** Take in the events that are there, then, while the job goes on, new ones as a stream. */
    async function listen(id, alive) {
        const known = await api(`jobs/${id}/events?after=${stage.last}`);
        for (const event of known) takeEvent(event);
        drawStage();
        if (ENDED.includes(stage.job.state)) return;
        const stop = new AbortController();
        const answer = await fetch(address(`jobs/${id}/events`), {
            headers: { Accept: "text/event-stream", "Last-Event-ID": String(stage.last) },
            credentials: "same-origin", cache: "no-store", signal: stop.signal,
        });
        if (!answer.ok || !(answer.headers.get("content-type") || "").startsWith("text/event-stream")) {
            await answer.body?.cancel();
            return;
        }
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        let rest = "";
        try {
            for (;;) {
                const { value, done } = await reader.read();
                if (done || !alive()) return;
                rest += value.replaceAll("\r\n", "\n");
                const blocks = rest.split("\n\n");
                rest = blocks.pop();
                for (const block of blocks) {
                    const data = block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
                    if (data.length) takeEvent(JSON.parse(data.join("\n")));
                }
                drawStage();
                if (ENDED.includes(stage.job.state)) return;
            }
        } finally {
            stop.abort();
        }
    }

    function takeEvent(event) {
        if (!event.number || event.number <= stage.last) return;
        stage.last = event.number;
        const data = event.data || {};
        if (event.kind === "state") {
            // The record says more than the event: it is read again when the stream ends.
            stage.job.state = data.state;
            if (data.state === "running" || data.state === "queued") stage.pace = null;
            refreshJobs();
        } else if (event.kind !== "note") {
            stage.job.progress = { ...stage.job.progress, ...data, kind: event.kind, message: event.message };
            if (event.kind === "clip_done") stage.clips.add(Number(data.clip));
            if (event.kind === "step") takePace(event.time, data.steps_done);
        }
        if (event.kind !== "step") {
            const text = event.message || (event.kind === "state" ? STATE_WORDS[data.state] : event.kind.replaceAll("_", " "));
            const where = CLIP_EVENTS.includes(event.kind) ? ` (clip ${data.clip + 1} of ${data.clips})` : "";
            stage.log.push(`${new Date(event.time * 1000).toLocaleTimeString()}  ${text}${where}`);
            if (stage.log.length > LOG_LINES) stage.log.shift();
        }
    }

    /** Seconds a step takes, smoothed. */
    function takePace(time, done) {
        const last = stage.pace;
        if (!last || done <= last.done) {
            stage.pace = { time, done, seconds: last ? last.seconds : null };
            return;
        }
        const now = (time - last.time) / (done - last.done);
        stage.pace = { time, done, seconds: last.seconds === null ? now : 0.8 * last.seconds + 0.2 * now };
    }

    function drawStage() {
        const { job, parts } = stage;
        if (!job) return;
        show(parts.empty, false);
        show(parts.box, true);
        parts.title.textContent = job.title || NO_TITLE;
        parts.chip.textContent = job.cancel_requested && job.state === "running" ? "stopping" : STATE_WORDS[job.state];
        parts.chip.className = `wan-chip wan-state-${job.state}`;
        const progress = job.progress, share = job.state === "done" ? 1 : progress.steps_total ? progress.steps_done / progress.steps_total : 0;
        parts.bar.setAttribute("aria-valuenow", Math.round(share * 100));
        parts.bar.firstChild.style.width = `${share * 100}%`;
        parts.bar.classList.toggle("wan-busy", job.state === "running" && !progress.steps_done);
        show(parts.bar, !["done"].includes(job.state));
        parts.status.textContent = statusWords(job);
        show(parts.resume, ["failed", "cancelled"].includes(job.state));
        drawError(job);
        drawPreview(job);
        drawClips(job);
        parts.log.textContent = stage.log.join("\n");
        show(parts.more, stage.log.length > 0);
        if (!ENDED.includes(job.state)) { fill(parts.sheet); fill(parts.files); }
        showInterrupt();
    }

    function statusWords(job) {
        const progress = job.progress, words = [];
        if (job.state === "queued") return "Waits for its turn.";
        if (job.state === "done") return job.started && job.finished ? `Made in ${duration(job.finished - job.started)}.` : "";
        if (job.state !== "running") return progress.clips ? `${plural(stage.clips.size, "clip")} of ${progress.clips} finished; they are kept.` : "";
        if (progress.clips) words.push(`clip ${progress.clip + 1} of ${progress.clips}`);
        if (progress.kind === "step" || progress.kind === "clip_started") words.push(`step ${progress.step} of ${progress.steps}`);
        else if (progress.kind) words.push(progress.kind === "ready" || progress.kind === "started" ? "getting ready" : progress.kind.replaceAll("_", " "));
        if (stage.pace && stage.pace.seconds) words.push(stage.pace.seconds >= 1 ? `${stage.pace.seconds.toPrecision(2)} s per step` : `${(1 / stage.pace.seconds).toPrecision(2)} steps/s`);
        if (progress.seconds_left !== null && progress.seconds_left !== undefined) words.push(`${duration(progress.seconds_left)} left`);
        const text = words.join(" · ");
        return text.charAt(0).toUpperCase() + text.slice(1);
    }

    function drawError(job) {
        const error = job.state === "failed" ? job.error : null;
        if (!error) { fill(stage.parts.problems); return; }
        fill(stage.parts.problems, el("div", { class: "wan-problems", role: "alert" },
            el("p", { text: error.message || "The film failed." }), error.remedy ? el("p", { class: "wan-remedy", text: error.remedy }) : null));
    }

    function drawPreview(job) {
        const number = job.progress.preview_number, name = `preview ${number}`;
        if (job.state === "done" || !number || stage.shown === name || stage.shown.startsWith("clip")) return;
        const id = job.id, picture = new Image();
        picture.alt = "Preview of the clip in the making";
        picture.className = "wan-preview";
        picture.onload = () => {
            if (stage.id !== id || stage.shown.startsWith("clip") || stage.job.state === "done") return;
            fill(stage.parts.screen, picture);
        };
        stage.shown = name;
        picture.src = address(`jobs/${id}/preview?number=${number}`);
    }

    function drawClips(job) {
        const parts = stage.parts, numbers = [...stage.clips].sort((one, other) => one - other).slice(-MOST_CLIP_BUTTONS);
        const wanted = job.state === "done" ? "" : numbers.join();
        if (parts.clips.dataset.drawn === wanted) return;
        parts.clips.dataset.drawn = wanted;
        if (!wanted) { fill(parts.clips); return; }
        fill(parts.clips, el("span", { class: "wan-quiet", text: "Finished clips" }), ...numbers.map((number) =>
            button(String(number + 1), () => showClip(job.id, number), { "aria-label": `Play clip ${number + 1}` })));
    }

    function showClip(id, number) {
        stage.shown = `clip ${number}`;
        const back = button("Back to the preview", () => { stage.shown = ""; fill(stage.parts.screen); drawStage(); });
        fill(stage.parts.screen, video(address(`jobs/${id}/clips/${number}`), `Clip ${number + 1}`), stage.job.state === "done" ? null : back);
    }

    function video(source, label) {
        return el("video", { src: source, controls: true, loop: true, playsinline: true, preload: "metadata", "aria-label": label });
    }

    /** Film, contact sheet and files of a job that has ended. */
    async function drawResult() {
        const { job, parts } = stage, id = job.id;
        if (!job.folder) return;
        const files = await api(`jobs/${id}/files`);
        if (stage.id !== id) return;
        const first = (kind) => files.find((file) => file.kind === kind);
        const film = first("film") || first("partial"), gif = first("gif"), sheet = first("sheet");
        const pictures = files.filter((file) => file.kind === "frame").length;
        stage.shown = "film";
        if (film) fill(parts.screen, video(fileAddress(film.url), film.kind === "film" ? "The film" : "What there is of the film"));
        else if (gif) fill(parts.screen, el("img", { src: fileAddress(gif.url), alt: "The film" }));
        else if (job.state === "done") fill(parts.screen);
        fill(parts.sheet, sheet ? el("img", { src: fileAddress(sheet.url), alt: "Contact sheet: frames of each prompt", loading: "lazy" }) : null);
        fill(parts.files, ...files.filter((file) => file.kind !== "frame").map((file) => el("li", {},
            el("a", { href: fileAddress(file.url), download: file.name, text: file.name, title: file.kind }), el("span", { class: "wan-quiet", text: sizeWords(file.size) }))),
            pictures ? el("li", { class: "wan-quiet", text: `${plural(pictures, "numbered picture")} in ${job.folder}` }) : null);
    }

    /** The WebUI's own Esc and Ctrl+Enter read the inline style of this button. */
    function showInterrupt() {
        const interrupt = inTab("#wan_interrupt");
        if (interrupt) interrupt.style.display = stage.job && stage.job.state === "running" && !stage.job.cancel_requested ? "block" : "none";
    }

    // -------------------------------------------------------------------------------------------- what jobs are told

    async function generate(watch) {
        tell([]);
        const answer = await ask("send", { action: "render" });
        setTimeout(markProblems, 30);
        if (!answer.jobs || !answer.jobs.length) return;
        const busy = stage.job && !ENDED.includes(stage.job.state);
        if (watch && !busy) {
            follow(answer.jobs[0].id);
            if (window.innerWidth < ONE_COLUMN) inTab("#wan_film").scrollIntoView({ behavior: calm() ? "auto" : "smooth" });
        } else tell([{ message: `Queued: ${answer.jobs[0].title || NO_TITLE}.` }], "wan-news");
        refreshJobs();
    }

    async function cancel(id) {
        if (id === stage.id && stage.job) { stage.job.cancel_requested = true; drawStage(); }
        await api(`jobs/${id}/cancel`, { method: "POST", body: {} });
        refreshJobs();
    }

    async function resume(id) {
        const job = await api(`jobs/${id}/resume`, { method: "POST", body: {} });
        refreshJobs();
        follow(job.id || id);
    }

    async function forget(id) {
        await api(`jobs/${id}`, { method: "DELETE" });
        if (stage.id === id) closeStage();
        refreshJobs();
    }

    async function restoreSettings(id) {
        const job = await api(`jobs/${id}`);
        const answer = await ask("fill", { settings: job.settings });
        if (!answer.failed) {
            tell([{ message: `The form holds the settings of "${job.title || NO_TITLE}".` }], "wan-news");
            inTab("#wan_form").scrollIntoView({ behavior: calm() ? "auto" : "smooth" });
        }
        changed();
    }

    // ------------------------------------------------------------------------------------------------ the jobs panel

    const jobs = { list: null, more: null, timer: null, drawn: "", shown: JOBS_SHOWN, busy: false };

    function buildJobs(mount) {
        jobs.list = el("ul", { class: "wan-job-list" });
        jobs.more = button("Show older", () => { jobs.shown += JOBS_SHOWN; refreshJobs(); });
        show(jobs.more, false);
        fill(mount, el("h3", { class: "wan-title", text: "Films" }), jobs.list, jobs.more);
    }

    async function refreshJobs() {
        clearTimeout(jobs.timer);
        let delay = POLL_IDLE;
        if (!jobs.busy && engine.running) {
            jobs.busy = true;
            try {
                const answer = await api(`jobs?limit=${jobs.shown + 1}`);
                drawJobs(answer.jobs);
                if (answer.jobs.some((job) => !ENDED.includes(job.state))) delay = POLL_RUNNING;
            } catch (error) {
                if (error.status !== 503 && error.status !== 0) console.warn(error);
            }
            jobs.busy = false;
        }
        jobs.timer = setTimeout(refreshJobs, document.hidden ? POLL_IDLE : delay);
    }

    function drawJobs(found) {
        const text = JSON.stringify([found, stage.id, restriction]);
        if (text === jobs.drawn) return;
        jobs.drawn = text;
        const focused = jobs.list.contains(document.activeElement) ? document.activeElement.dataset.key : "";
        show(jobs.more, found.length > jobs.shown);
        fill(jobs.list, ...(found.length ? found.slice(0, jobs.shown).map(jobItem) : [el("li", { class: "wan-quiet", text: "None yet." })]));
        if (focused) jobs.list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    }

    function jobItem(job) {
        const ended = ENDED.includes(job.state), progress = job.progress, started = job.folder !== "";
        const sheet = job.result && job.result.sheet ? String(job.result.sheet).split(/[\\/]/).pop() : "";
        const preview = sheet ? `jobs/${job.id}/files/${encodeURIComponent(sheet)}` : progress.preview_number ? `jobs/${job.id}/preview?number=${progress.preview_number}` : "";
        const picture = el("div", { class: "wan-thumb" }, preview ? el("img", { src: address(preview), alt: "", loading: "lazy", onerror: (event) => event.target.remove() }) : null);
        const share = progress.steps_total ? Math.round(100 * progress.steps_done / progress.steps_total) : 0;
        const when = clock(job.finished || job.started || job.created), chip = job.state === "running" ? `${STATE_WORDS.running} ${share} %` : STATE_WORDS[job.state];
        const act = (name, words, work) => button(words, () => attempt(work), { "data-key": `${job.id}/${name}`, "aria-label": `${words}: ${job.title || NO_TITLE}` });
        const deleting = act("delete", "Delete", () => forget(job.id));
        deleting.title = restriction || "Forgets the job; the film's files stay on the disk.";
        deleting.disabled = Boolean(restriction);
        return el("li", { class: `wan-job${job.id === stage.id ? " wan-watched" : ""}` }, picture,
            el("div", { class: "wan-job-words" },
                el("div", { class: "wan-job-title", text: job.title || NO_TITLE, title: job.title }),
                el("div", { class: "wan-quiet" }, el("span", { class: `wan-chip wan-state-${job.state}`, text: chip }), ` ${when}`),
                el("div", { class: "wan-job-actions" },
                    act("watch", "Watch", () => follow(job.id)),
                    act("settings", "Use settings", () => restoreSettings(job.id)),
                    ended && job.state !== "done" ? act("resume", started ? "Resume" : "Start again", () => resume(job.id)) : null,
                    !ended ? act("cancel", "Cancel", () => cancel(job.id)) : null,
                    ended ? deleting : null)));
    }

    // ------------------------------------------------------------------------------------------------- the engine

    const engine = { running: false, ready: false, timer: null, system: null };

    function buildEngine(mount) {
        engine.words = el("span", { class: "wan-engine-words", "aria-live": "polite" });
        engine.dot = el("i", { class: "wan-dot", "aria-hidden": "true" });
        engine.act = button("", () => attempt(engineAction));
        engine.bar = el("div", { class: "wan-bar", role: "progressbar", "aria-label": "Progress of the installation", "aria-valuemin": "0", "aria-valuemax": "100" }, el("i"));
        engine.pre = el("pre", { class: "wan-log", tabindex: "0", "aria-label": "Log of the installation" });
        engine.details = el("details", { class: "wan-details" }, el("summary", { text: "Log" }), engine.pre);
        fill(mount, el("div", { class: "wan-strip" }, engine.dot, engine.words, el("span", { class: "wan-space" }), engine.act), engine.bar, engine.details);
        show(engine.bar, false);
        show(engine.details, false);
        show(engine.act, false);
    }

    async function engineAction() {
        engine.act.disabled = true;
        try {
            drawEngine(await api(engine.ready ? "engine/start" : "engine/install", { method: "POST", body: {} }));
        } finally {
            engine.act.disabled = false;
        }
        refreshEngine();
    }

    async function refreshEngine() {
        clearTimeout(engine.timer);
        let delay = POLL_IDLE;
        try {
            const state = await api("engine");
            if (state.running) engine.system = await api("system").catch(() => engine.system);
            drawEngine(state);
            if (state.install.state === "installing") delay = POLL_RUNNING;
        } catch (error) {
            engine.running = false;
            engine.dot.className = "wan-dot wan-bad";
            engine.words.textContent = error.status === 401 ? "Log in to this WebUI to use the tab." : `${error.message}.`;
        }
        engine.timer = setTimeout(refreshEngine, delay);
    }

    function drawEngine(state) {
        const install = state.install, begun = state.running && !engine.running;
        restriction = state.restriction || "";
        engine.ready = install.state === "ready";
        engine.running = state.running;
        engine.dot.className = `wan-dot wan-${state.running ? "good" : install.state === "failed" ? "bad" : "idle"}`;
        engine.words.textContent = engineWords(state);
        engine.act.textContent = engine.ready ? "Start" : install.state === "failed" ? "Try again" : "Set up the engine";
        engine.act.classList.toggle("wan-primary", !engine.ready);
        engine.act.disabled = Boolean(restriction) && !engine.ready;
        engine.act.title = engine.act.disabled ? restriction : "";
        show(engine.act, !state.running && install.state !== "installing");
        show(engine.bar, install.state === "installing");
        const share = Math.max(0.03, (install.step - 0.5) / install.steps);
        engine.bar.firstChild.style.width = `${share * 100}%`;
        engine.bar.setAttribute("aria-valuenow", Math.round(share * 100));
        show(engine.details, !engine.ready && Boolean(install.log));
        engine.pre.textContent = install.log;
        if (begun) engineBegan();
    }

    function engineWords(state) {
        const install = state.install;
        if (state.running) {
            const system = engine.system || {}, words = [`Engine ${state.version}`];
            words.push(...(system.devices || []).map((device) => device.label || device.name));
            if (system.free_bytes) words.push(`${sizeWords(system.free_bytes)} free for films`);
            return words.join(" · ");
        }
        if (install.state === "ready") return "The engine is ready; it starts with the first plan.";
        if (install.state === "installing") return `Setting up the engine, step ${Math.max(1, install.step)} of ${install.steps}: ${install.message}`;
        return install.message;
    }

    /** The engine answers for the first time, or again: find the film that runs, and what it can do. */
    async function engineBegan() {
        refreshJobs();
        loadPresets();
        loadModels();
        changed();
        if (stage.job && !ENDED.includes(stage.job.state)) return;
        const running = await attempt(async () => {
            const answer = await api("jobs?state=running&limit=1");
            return answer.jobs.length ? answer.jobs : (await api("jobs?state=queued&limit=1")).jobs;
        });
        if (running && running.length) follow(running[0].id);
        else if (sessionStorage.getItem("wan_job") && !stage.id) follow(sessionStorage.getItem("wan_job"));
    }

    // ---------------------------------------------------------------------------------- models and what they take

    let models = [];

    async function loadModels() {
        await attempt(async () => {
            models = (await ask("models", {})).models || [];
            suggest();
        });
    }

    /** Empty boxes show what the chosen model recommends. */
    function suggest() {
        const chosen = valueOf("model");
        const model = models.find((each) => each.path === chosen || chosen.startsWith(`${each.name} (`)) || models.find((each) => each.path === "");
        const words = page.own[model ? model.family : ""] || page.own[page.embedded];
        for (const [name, text] of Object.entries(words)) {
            const target = input(name);
            if (target) target.placeholder = text;
        }
        // A list has no placeholder in gradio.
        if (input("model")) input("model").placeholder = "the embedded small model";
        for (const name of ["i2v_model", "flf2v_model"]) if (input(name)) input(name).placeholder = "the model above, if it can";
    }

    function valueOf(field) {
        const target = inTab(`#wan_${field} input[type=radio]:checked`) || input(field);
        return target ? target.value.trim() : "";
    }

    /** When a control does something; the others are always shown. */
    const RELEVANT = {
        seed_iter_n: () => valueOf("seed_behavior") === "iter",
        seed_schedule: () => valueOf("seed_behavior") === "schedule",
        encoder: isEncoded, crf: isEncoded, preset: isEncoded, pixel_format: isEncoded,
        soundtrack_offset: () => valueOf("soundtrack") !== "",
    };

    function isEncoded() {
        return ["h264", "hevc"].includes(valueOf("codec"));
    }

    function showRelevant() {
        for (const [field, test] of Object.entries(RELEVANT)) {
            const block = inTab(`#wan_${field}`);
            if (block) show(block, test() || block.classList.contains("wan-wrong"));
        }
    }

    // ----------------------------------------------------------------- presets, project files, Deforum's own tab

    const tools = {};

    function buildTools(mount) {
        tools.presets = el("select", { class: "wan-select", id: "wan_preset", "aria-label": "Presets", onchange: () => attempt(usePreset) });
        tools.name = el("input", { class: "wan-input", type: "text", placeholder: "name of the preset", "aria-label": "Name of the new preset", maxlength: "60",
            onkeydown: (event) => { if (event.key === "Enter") attempt(savePreset); if (event.key === "Escape") openNaming(false); } });
        tools.naming = el("span", { class: "wan-naming wan-hidden" }, tools.name, button("Save", () => attempt(savePreset), { id: "wan_preset_save" }), button("Cancel", () => openNaming(false)));
        tools.open = button("Save as preset", () => openNaming(true));
        tools.remove = button("Delete preset", () => attempt(removePreset));
        tools.file = el("input", { type: "file", accept: ".txt,.json,.yaml,.yml", class: "wan-hidden", id: "wan_import_file", onchange: () => attempt(importFile) });
        tools.deforum = button("Take over from Deforum", () => attempt(takeOver), { id: "wan_deforum" });
        fill(mount, el("div", { class: "wan-tools" }, tools.presets, tools.open, tools.naming, tools.remove, el("span", { class: "wan-space" }),
            button("Import", () => tools.file.click(), { id: "wan_import", title: "A project file, a Deforum settings file, or prompts" }), tools.file,
            button("Export", () => attempt(exportFile), { id: "wan_export", title: "The form as a project file" }), tools.deforum));
        drawPresets([]);
        show(tools.deforum, Boolean(deforumTab()));
    }

    function openNaming(open) {
        show(tools.naming, open);
        show(tools.open, !open);
        if (open) { tools.name.value = tools.presets.value; tools.name.focus(); }
    }

    async function loadPresets(chosen) {
        const answer = await api("presets").catch(() => null);
        if (answer) drawPresets(answer.presets || [], chosen);
    }

    function drawPresets(names, chosen) {
        fill(tools.presets, el("option", { value: "", text: names.length ? "Presets" : "No presets yet" }),
            ...names.map((name) => el("option", { value: name, text: name, selected: name === chosen })));
        tools.presets.disabled = !names.length;
        show(tools.remove, Boolean(tools.presets.value));
    }

    async function usePreset() {
        const name = tools.presets.value;
        show(tools.remove, Boolean(name));
        if (!name) return;
        const preset = await api(`presets/${encodeURIComponent(name)}`);
        await ask("fill", { settings: preset });
        changed();
    }

    async function savePreset() {
        const name = tools.name.value.trim();
        if (!name) { tools.name.focus(); return; }
        const answer = await ask("send", { action: "save_preset", name });
        if (answer.failed) return;
        openNaming(false);
        await loadPresets(name);
    }

    async function removePreset() {
        await api(`presets/${encodeURIComponent(tools.presets.value)}`, { method: "DELETE" });
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
        const answer = await ask("fill", { project, name });
        if (!answer.failed) {
            const notes = [`Taken in: ${name}.`, ...(answer.notes || [])];
            tell(notes.map((message) => ({ message })), "wan-news");
        }
        changed();
    }

    async function exportFile() {
        const answer = await ask("send", { action: "export" });
        if (!answer.text) return;
        const link = el("a", { href: URL.createObjectURL(new Blob([answer.text], { type: "application/json" })), download: "film.json" });
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }

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
        await takeProject(JSON.stringify(settings), "Deforum's tab");
    }

    // ------------------------------------------------------------------------------------------- the page as a whole

    function describeFields() {
        for (const [id, text] of Object.entries(page.help)) {
            const block = inTab(`#${CSS.escape(id)}`);
            if (!block) continue;
            // WebUIs give labels of these names their own tooltips unless there is one.
            block.querySelectorAll("label span, span[data-testid=block-info]").forEach((each) => { each.title = text; });
            block.querySelectorAll("input, textarea").forEach((each) => each.setAttribute("aria-description", text));
        }
    }

    /** gradio 3 folds with elements that only a mouse reaches. */
    function makeFoldsReachable() {
        root.querySelectorAll(".wan-more .label-wrap:not(button, [tabindex])").forEach((fold) => {
            fold.tabIndex = 0;
            fold.setAttribute("role", "button");
            fold.addEventListener("keydown", (event) => {
                if (event.key !== "Enter" && event.key !== " ") return;
                event.preventDefault();
                fold.click();
            });
        });
    }

    function drawThumbnails() {
        for (const name of ["init_image", "end_image"]) {
            const target = input(name), block = inTab(`#wan_${name}`);
            if (!target || !block) continue;
            const path = target.value.trim(), old = block.querySelector(".wan-picked");
            if (old && old.dataset.path === path) continue;
            if (old) old.remove();
            if (path) block.append(el("img", { class: "wan-picked", "data-path": path, alt: "", src: address(`files?path=${encodeURIComponent(path)}`), onerror: (event) => show(event.target, false) }));
        }
    }

    function onKey(event) {
        if (!root || !root.offsetParent) return;
        const running = stage.job && stage.job.state === "running", withHost = typeof onUiLoaded === "function";
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            // A WebUI would interrupt the film in the making first: here the next one waits its turn.
            event.preventDefault();
            event.stopImmediatePropagation();
            inTab("#wan_generate").click();
        } else if (event.key === "Escape" && running && !withHost && document.activeElement === document.body) {
            inTab("#wan_interrupt").click();
        }
    }

    function onClick(event) {
        const place = event.target.closest(".wan-place");
        if (place) goTo(place.dataset);
        if (event.target.closest("#wan_generate")) attempt(() => generate(true));
        if (event.target.closest("#wan_queue")) attempt(() => generate(false));
        if (event.target.closest("#wan_interrupt") && stage.id) attempt(() => cancel(stage.id));
        if (event.target.closest("#wan_models_refresh")) loadModels();
    }

    function start() {
        const host = typeof gradioApp === "function" ? gradioApp() : document;
        const found = host.querySelector("#wan");
        if (root || !found || !found.querySelector("#wan_do_models")) return Boolean(root);
        const mounts = {};
        found.querySelectorAll("[data-mount]").forEach((each) => { mounts[each.dataset.mount] = each; });
        if (!mounts.engine || !mounts.tools || !mounts.film || !mounts.jobs) return false;
        root = found;
        page = JSON.parse(mounts.engine.dataset.page);
        buildEngine(mounts.engine);
        buildTools(mounts.tools);
        buildStage(mounts.film);
        buildJobs(mounts.jobs);
        dressControls();
        showInterrupt();
        new MutationObserver(readMailbox).observe(inTab("#wan_answer"), { childList: true, subtree: true, attributes: true });
        new MutationObserver(dressControls).observe(inTab("#wan_form"), { childList: true, subtree: true });
        root.addEventListener("click", onClick);
        document.addEventListener("keydown", onKey, true);
        document.addEventListener("visibilitychange", () => { if (!document.hidden) { refreshEngine(); refreshJobs(); } });
        refreshEngine();
        return true;
    }

    let dressing = null;

    /** Controls come and go: gradio 6 makes what is folded away only when it is opened. */
    function dressControls() {
        clearTimeout(dressing);
        dressing = setTimeout(() => {
            describeFields();
            makeFoldsReachable();
            suggest();
            showRelevant();
            drawThumbnails();
        }, 50);
    }

    function formChanged() {
        changed();
        if (root) dressControls();
    }

    window.wanTab = { post, changed: formChanged };

    /** The page is put together piece by piece; a tab that the WebUI hides never comes. */
    function begin(tries = 600) {
        if (!start() && tries) setTimeout(() => begin(tries - 1), 100);
    }

    if (typeof onUiLoaded === "function") onUiLoaded(() => begin());
    else begin();
})();
