/* The line of time on the page Keyframes: the pictures at their times, to be dragged or moved with the arrows, and the
 * segments between them with their words. */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [dom, server, form, keyframes, rows, track] = ["dom", "server", "form", "keyframes", "keyframeRows", "keyframeTrack"].map(part);

    const EDGE = 40; // px beside the first and last picture: half of one
    const ROOM = 1.08; // there is always a little time behind the last picture
    const SCALES = [0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
    const LEAST_APART = 84, MOST_WIDE = 6000; // px: of two pictures so that they do not overlap, and of the whole

    let line = null, shown = null, dragged = null;

    function make() {
        line = dom.el("div", { class: "wan-kf-line" });
        track.box = dom.el("div", { class: "wan-scroll wan-kf-scroll" }, line);
        new ResizeObserver(() => { if (!dragged && track.box.clientWidth !== shown?.seen) draw(); }).observe(track.box);
        return track.box;
    }

    /** First second, seconds that are shown and pixels a second. */
    function scale() {
        const times = keyframes.state.keyframes.map((each) => each.time), begin = times[0] ?? 0;
        const whole = Math.max(1, ((times.at(-1) ?? 0) - begin) * ROOM), seen = track.box.clientWidth || 600;
        const gaps = times.slice(1).map((time, index) => time - times[index]).filter((gap) => gap > 0);
        const wide = Math.min(MOST_WIDE, Math.max(seen - 2 * EDGE, (whole * LEAST_APART) / Math.max(0.04, Math.min(whole, ...gaps))));
        return { begin, whole, seen, perSecond: wide / whole };
    }

    const left = (time) => EDGE + (time - shown.begin) * shown.perSecond;

    function draw() {
        if (!line || dragged) return;
        const list = keyframes.state.keyframes, focused = line.contains(document.activeElement) ? document.activeElement.dataset.key : "";
        shown = scale();
        line.style.width = `${2 * EDGE + shown.whole * shown.perSecond}px`;
        dom.show(track.box, list.length > 0);
        dom.fill(line, dom.el("div", { class: "wan-kf-pictures" }, ...list.map(picture)), dom.el("div", { class: "wan-kf-segments" }, ...list.slice(1).map((_, index) => segment(index))), ruler());
        if (focused) line.querySelector(`[data-key="${focused}"]`)?.focus();
    }

    function picture(each, index) {
        const list = keyframes.state.keyframes, made = dom.el("div", {
            class: "wan-kf-picture", role: "slider", tabindex: "0", "data-key": each.id,
            "aria-label": `Picture ${index + 1} of ${list.length}, ${each.name}`, "aria-valuemin": list[index - 1]?.time ?? 0,
            "aria-valuemax": list[index + 1]?.time ?? Math.max(each.time, 86400), "aria-valuenow": each.time, "aria-valuetext": `${each.time.toFixed(2)} s`,
            title: "Drag it, or move it with the arrows; Ctrl and an arrow change places; Delete removes it",
            onpointerdown: (event) => begin(event, each, made), onkeydown: (event) => onKey(event, index),
        }, thumbnail(each.image, dom.el("b", { text: `${index + 1}` })), dom.el("span", { text: `${each.time.toFixed(2)} s` }));
        made.style.left = `${left(each.time)}px`;
        return made;
    }

    /** A small picture, fitted to the film's shape as the form says. */
    function thumbnail(path, number) {
        const image = dom.el("img", { class: "wan-kf-image", src: server.address(`files?path=${encodeURIComponent(path)}`), alt: "", draggable: "false", loading: "lazy" });
        const holder = dom.el("span", { class: "wan-kf-frame" }, image, number);
        image.addEventListener("error", () => { image.remove(); holder.append(dom.el("i", { text: "not found" })); });
        image.style.objectFit = { contain: "contain", stretch: "fill" }[form.valueOf("image_fit")] || "cover";
        const size = (name) => { const box = form.input(name); return Number(box && (box.value || box.placeholder)) || 1; };
        holder.style.aspectRatio = `${size("width")} / ${size("height")}`;
        return holder;
    }

    function segment(index) {
        const [from, to] = keyframes.state.keyframes.slice(index, index + 2), told = keyframes.advice(index);
        const words = keyframes.state.subs[index] || keyframes.state.prompt || "(no words)";
        const made = dom.button(words, () => rows.textBox(index)?.focus(), { class: `wan-kf-segment wan-hue-${index % 8}${told.warns ? " wan-kf-warns" : ""}`, "data-key": `segment-${index}`,
            "aria-label": `Segment ${index + 1}, ${told.text}: ${words}`, title: `${words}\n${told.text}` });
        made.style.left = `${left(from.time)}px`;
        made.style.width = `${Math.max(2, (to.time - from.time) * shown.perSecond - 2)}px`;
        return made;
    }

    function ruler() {
        const step = SCALES.find((each) => each * shown.perSecond >= 56) || 7200;
        const first = Math.ceil(shown.begin / step) * step, ticks = Math.floor((shown.begin + shown.whole - first) / step) + 1;
        return dom.el("div", { class: "wan-ruler", "aria-hidden": "true" }, ...Array.from({ length: Math.max(0, ticks) }, (_, number) => {
            const tick = dom.el("div", { class: "wan-tick" }, dom.el("b", { text: `${Number((first + number * step).toFixed(2))} s` }));
            tick.style.left = `${left(first + number * step)}px`;
            return tick;
        }));
    }

    /** The times between which a picture can be moved without changing the order. */
    function limits(index) {
        const list = keyframes.state.keyframes, frame = 1 / keyframes.rate();
        return [index ? list[index - 1].time + frame : 0, index + 1 < list.length ? list[index + 1].time - frame : 86400];
    }

    function begin(event, each, made) {
        if (event.button !== 0) return;
        event.preventDefault();
        made.focus(); // a box that is left by it may change the order
        const index = keyframes.state.keyframes.indexOf(each), start = { x: event.clientX, scroll: track.box.scrollLeft, time: each.time };
        const [least, most] = limits(index);
        dragged = each;
        made.setPointerCapture(event.pointerId);
        made.classList.add("wan-dragged");
        const move = (moved) => {
            const by = (moved.clientX - start.x + track.box.scrollLeft - start.scroll) / shown.perSecond;
            each.time = Math.min(most, Math.max(least, keyframes.onFrame(start.time + by)));
            made.style.left = `${left(each.time)}px`;
            made.lastChild.textContent = `${each.time.toFixed(2)} s`;
        };
        const end = () => {
            dragged = null;
            if (each.time !== start.time) keyframes.setTime(index, each.time);
            else made.classList.remove("wan-dragged");
        };
        dom.drag(event, move, end);
    }

    function onKey(event, index) {
        const list = keyframes.state.keyframes, [least, most] = limits(index), frame = 1 / keyframes.rate();
        const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }, pages = { PageUp: 1, PageDown: -1 };
        const to = (time) => keyframes.setTime(index, Math.min(most, Math.max(least, keyframes.onFrame(time))));
        if (event.key in steps && (event.ctrlKey || event.metaKey)) keyframes.swap(index, steps[event.key]);
        else if (event.key in steps) to(list[index].time + steps[event.key] * (event.shiftKey ? 1 : frame));
        else if (event.key in pages) to(list[index].time + pages[event.key]);
        else if (event.key === "Home") to(least);
        else if (event.key === "End" && index + 1 < list.length) to(most);
        else if (event.key === "Delete") {
            keyframes.remove(index);
            line.querySelectorAll(".wan-kf-picture")[Math.min(index, list.length - 1)]?.focus();
        } else return;
        event.preventDefault();
    }

    Object.assign(track, { make, draw, thumbnail });
})();
