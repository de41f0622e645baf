/* Follows one job's events for the Wan tab, as a stream that is taken up again when it breaks. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, seams, result, jobs, kinds] = ["dom", "server", "seams", "result", "jobs", "kinds"].map(part);

    const RETRY_DELAYS = [500, 1000, 2000, 5000]; // ms before events are asked for again
    const LOG_LINES = 200;
    const CLIP_EVENTS = ["clip_started", "decoding", "clip_done"];

    /** Watch a job from its first event on; another one that is watched is let go. */
    async function follow(id) {
        const round = result.leave();
        Object.assign(result, { id, job: null, last: 0, clips: new Set(), log: [], tried: [], pace: null, shown: "" });
        sessionStorage.setItem("wan_job", id);
        seams.showDrawn();
        const alive = () => result.round === round;
        let failures = 0;
        while (alive()) {
            try {
                const job = await server.api(`jobs/${id}`);
                if (!alive()) return;
                result.job = job;
                result.draw();
                await listen(id, alive);
                if (!alive()) return;
                failures = 0;
                if (jobs.hasEnded(result.job)) break;
            } catch (error) {
                if (!alive()) return;
                if (error.status === 404) {
                    sessionStorage.removeItem("wan_job");
                    result.close();
                    return;
                }
                failures += 1;
                result.parts.status.textContent = `${error.message}. Trying again.`;
                // A WebUI that is starting may hang for good when it is asked before it is ready.
                if (error.status === 0) await dom.pause(server.POLL_IDLE);
            }
            await dom.pause(RETRY_DELAYS[Math.min(failures, RETRY_DELAYS.length - 1)]);
        }
        if (!alive()) return;
        await server.attempt(async () => {
            result.job = await server.api(`jobs/${id}`);
            if (!alive()) return;
            result.draw();
            await result.drawResult();
        });
        jobs.refresh();
    }

    /** Take in the events that are there, then, while the job goes on, new ones as a stream. */
    async function listen(id, alive) {
        const known = await server.api(`jobs/${id}/events?after=${result.last}`);
        for (const event of known) takeEvent(event);
        result.draw();
        if (jobs.hasEnded(result.job)) return;
        const stop = (result.stream = new AbortController());
        const answer = await fetch(server.address(`jobs/${id}/events`), {
            headers: { Accept: "text/event-stream", "Last-Event-ID": String(result.last) },
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
                result.draw();
                if (jobs.hasEnded(result.job)) return;
            }
        } finally {
            stop.abort();
        }
    }

    function takeEvent(event) {
        if (!event.number || event.number <= result.last) return;
        result.last = event.number;
        const data = event.data || {};
        kinds.of(result.job).hear?.(event, result.job);
        if (event.kind === "state") {
            // The record says more than the event: it is read again when the stream ends.
            result.job.state = data.state;
            if (data.state === "running" || data.state === "queued") result.pace = null;
            jobs.refresh();
        } else if (event.kind === "tried") {
            result.tried.push(event.message);
            return;
        } else if (event.kind !== "note") {
            result.job.progress = { ...result.job.progress, ...data, kind: event.kind, message: event.message };
            if (event.kind === "clip_done") result.clips.add(Number(data.clip));
            if (event.kind === "step") takePace(event.time, data.steps_done);
        }
        if (event.kind !== "step") {
            const text = event.message || (event.kind === "state" ? kinds.stateWord({ ...result.job, state: data.state }) : event.kind.replaceAll("_", " "));
            const where = CLIP_EVENTS.includes(event.kind) ? ` (clip ${data.clip + 1} of ${data.clips})` : "";
            result.log.push(`${new Date(event.time * 1000).toLocaleTimeString()}  ${text}${where}`);
            if (result.log.length > LOG_LINES) result.log.shift();
        }
    }

    /** Seconds a step takes, smoothed. */
    function takePace(time, done) {
        const last = result.pace;
        if (!last || done <= last.done) {
            result.pace = { time, done, seconds: last ? last.seconds : null };
            return;
        }
        const now = (time - last.time) / (done - last.done);
        result.pace = { time, done, seconds: last.seconds === null ? now : 0.8 * last.seconds + 0.2 * now };
    }

    Object.assign(result, { follow });
})();
