/* The list on the page Keyframes: each picture with its time, and beside it the segment that follows, with its words. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, keyframes, track, rows] = ["dom", "server", "keyframes", "keyframeTrack", "keyframeRows"].map(part);

    function make() {
        rows.list = dom.el("ol", { class: "wan-kf-rows" });
        return rows.list;
    }

    function draw() {
        const list = keyframes.state.keyframes, active = rows.list.contains(document.activeElement) ? document.activeElement.dataset.key : "";
        dom.fill(rows.list, ...(list.length ? list.map(row) : [dom.el("li", { class: "wan-hint", text: "Add pictures with the button, or drop them here. The film begins with the first and ends with the last." })]));
        if (active) rows.list.querySelector(`[data-key="${CSS.escape(active)}"]`)?.focus();
    }

    function row(each, index) {
        const list = keyframes.state.keyframes, last = index === list.length - 1, place = () => keyframes.state.keyframes.indexOf(each);
        const act = (name, words, work, more) => dom.button(words, work, { "data-key": `${each.id}/${name}`, "aria-label": `${words}: picture ${index + 1}`, ...more });
        const time = seconds(each.time, (value, drawn) => keyframes.setTime(place(), value, drawn), { "data-key": `${each.id}/time`, "aria-label": `Time of picture ${index + 1}, in seconds`, class: "wan-input wan-kf-seconds wan-kf-time" });
        const picker = dom.el("input", { type: "file", accept: "image/*", class: "wan-hidden", onchange: () => { if (picker.files.length) server.attempt(() => keyframes.replace(place(), picker.files[0])); } });
        return dom.el("li", { class: "wan-kf-row" },
            dom.el("div", { class: "wan-kf-thumb" }, track.thumbnail(each.image)),
            dom.el("div", { class: "wan-kf-words" },
                dom.el("div", { class: "wan-head" }, dom.el("strong", { text: `${index + 1}` }), dom.el("span", { class: "wan-field wan-kf-at" }, "at ", time, " s")),
                dom.el("div", { class: "wan-quiet wan-kf-name", text: each.name, title: each.image }),
                dom.el("div", { class: "wan-job-actions" },
                    act("earlier", "Earlier", () => keyframes.swap(place(), -1), { disabled: index === 0, title: "Change places with the picture before" }),
                    act("later", "Later", () => keyframes.swap(place(), 1), { disabled: last, title: "Change places with the next picture" }),
                    act("replace", "Replace", () => picker.click()), picker,
                    act("remove", "Remove", () => keyframes.remove(place())))),
            last ? dom.el("div", { class: "wan-quiet wan-kf-end", text: list.length > 1 ? "The film ends here." : "Add the next picture." }) : segment(index));
    }

    function segment(index) {
        const list = keyframes.state.keyframes, length = list[index + 1].time - list[index].time, id = list[index].id;
        const words = dom.el("textarea", { class: "wan-input wan-kf-sub", rows: "2", placeholder: `what happens from ${index + 1} to ${index + 2}`, "data-key": `${id}/words`, "aria-label": `Prompt from picture ${index + 1} to ${index + 2}`,
            oninput: () => keyframes.setSub(index, words.value) });
        words.value = keyframes.state.subs[index] || "";
        const box = seconds(length, (value, drawn) => keyframes.setLength(index, value, drawn), { "data-key": `${id}/length`, "aria-label": `Length from picture ${index + 1} to ${index + 2}, in seconds`, class: "wan-input wan-kf-seconds" });
        const fit = dom.button("Fit", () => keyframes.fitLength(index), { "data-key": `${id}/fit`, title: "The nearest length for which the model makes 4n+1 frames", "aria-label": `Fit the length from picture ${index + 1} to ${index + 2} to 4n+1 frames` });
        return dom.el("div", { class: "wan-kf-between wan-field" }, words,
            dom.el("div", { class: "wan-kf-length" }, "lasts ", box, " s", fit, dom.el("span", { class: "wan-kf-advice", "data-segment": index }, ...told(index))));
    }

    function told(index) {
        const { warns, text } = keyframes.advice(index);
        return [dom.el("span", { class: warns ? "wan-chip wan-state-cancelled" : "wan-quiet", text })];
    }

    /** The advice anew: the frame rate is another one. */
    function advise() {
        rows.list.querySelectorAll(".wan-kf-advice").forEach((each) => dom.fill(each, ...told(Number(each.dataset.segment))));
    }

    /** A box for seconds, heard when it is left or Enter is pressed: with the seconds, and with what says when to draw. */
    function seconds(value, heard, attributes) {
        const box = dom.el("input", { type: "text", inputmode: "decimal", value: value.toFixed(3).replace(/\.?0+$/, ""), ...attributes });
        const read = () => Number(box.value.replace(",", ".").replace(/s\s*$/, "").trim() || NaN);
        box.addEventListener("change", () => heard(read(), box === document.activeElement ? undefined : dom.afterLeaving));
        return box;
    }

    const timeBox = (index) => rows.list.querySelectorAll(".wan-kf-time")[index];
    const textBox = (index) => rows.list.querySelectorAll(".wan-kf-sub")[index];

    Object.assign(rows, { make, draw, advise, timeBox, textBox });
})();
