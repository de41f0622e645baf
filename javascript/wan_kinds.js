/* What the Wan tab knows of each kind of job. Each kind is an entry of `kinds` by the engine's name of it:
 *   untitled           how a job without a title is called
 *   running            the state's word while it runs
 *   status(job)        words for how it stands, while it runs and after it was stopped
 *   thumbnail(job)     address of a small picture, below wan/v1/, or ""
 *   draw(job)          beside that: what there is of it so far (may be missing)
 *   hear(event, job)   each event of it while it is watched (may be missing)
 *   drawResult(job)    what was made, when it has ended
 *   restore(job)       its settings back into its page; false where they were refused
 * A job of a kind that is not known is shown with its words and its log.
 */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, kinds] = ["dom", "kinds"].map(part);

    const STATE_WORDS = { queued: "waiting", done: "finished", failed: "failed", cancelled: "stopped" };
    const UNKNOWN = { untitled: "Untitled", running: "running", status: (job) => job.progress.message || "", thumbnail: () => "", drawResult: () => {} };

    function of(job) {
        return kinds[job.kind]?.untitled ? kinds[job.kind] : UNKNOWN;
    }

    function title(job) {
        return job.title || of(job).untitled;
    }

    function stateWord(job) {
        return job.state === "running" ? of(job).running : STATE_WORDS[job.state];
    }

    /** Parts of a sentence about how a job stands, joined and with a capital. */
    function sentence(words) {
        const text = words.filter(Boolean).join(" · ");
        return text.charAt(0).toUpperCase() + text.slice(1);
    }

    function timeLeft(job) {
        const seconds = job.progress.seconds_left;
        return seconds === null || seconds === undefined ? "" : `${dom.duration(seconds)} left`;
    }

    Object.assign(kinds, { of, title, stateWord, sentence, timeLeft });
})();
