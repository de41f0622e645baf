/* The pages of the Wan tab: the switcher, which page is open, and what its primary button does.
 *
 * scripts/wan_webui/pages.py lists the pages. The part of a page has the page's name and may have
 *   generate(watch)  the primary button (watch), Ctrl+Enter, or Queue: begin the page's work
 *   changed()        a control of the page has a new value
 *   shown()          the page was opened, or the engine answers again while it is open
 *   files            what can be taken in and given out, see wan_tools.js
 *   hint             a sentence for the empty place of the result
 */
(function () {
    "use strict";

    const tab = (window.wanTab = window.wanTab || {}), part = (name) => (tab[name] = tab[name] || {});
    const [page, dom, server, form, tools, result, pages] = ["page", "dom", "server", "form", "tools", "result", "pages"].map(part);

    const KEPT = "wan_page";
    const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

    Object.assign(pages, { name: "", buttons: new Map() });

    function build(mount) {
        for (const { name, title } of page.pages) {
            pages.buttons.set(name, dom.button(title, () => show(name), { class: "wan-tab", role: "tab", id: `wan_tab_${name}`, title: part(name).hint, "aria-controls": "wan_form", onkeydown: onKey }));
        }
        dom.fill(mount, dom.el("div", { class: "wan-tabs", role: "tablist", "aria-label": "What to make" }, ...pages.buttons.values()));
        dom.show(dom.inTab("#wan_pages"), page.pages.length > 1);
        dom.inTab("#wan_form").setAttribute("role", "tabpanel");
        const kept = sessionStorage.getItem(KEPT);
        show(pages.buttons.has(kept) ? kept : page.pages[0].name);
    }

    /** The arrows go from page to page, as in every list of tabs. */
    function onKey(event) {
        const names = [...pages.buttons.keys()], at = names.indexOf(pages.name);
        const ends = { Home: 0, End: names.length - 1 };
        const next = event.key in STEPS ? (at + STEPS[event.key] + names.length) % names.length : ends[event.key];
        if (next === undefined) return;
        event.preventDefault();
        show(names[next]);
        pages.buttons.get(names[next]).focus();
    }

    function show(name) {
        pages.name = name;
        sessionStorage.setItem(KEPT, name);
        page.root.querySelectorAll(".wan-page").forEach((each) => dom.show(each, each.classList.contains(`wan-on-${name}`)));
        pages.buttons.forEach((button, each) => {
            button.setAttribute("aria-selected", each === name);
            button.tabIndex = each === name ? 0 : -1;
        });
        dom.inTab("#wan_form").setAttribute("aria-labelledby", `wan_tab_${name}`);
        dom.inTab("#wan_generate").textContent = about().verb;
        server.tell([]);
        tools.drawFiles();
        result.drawHint();
        form.dress();
        begun();
    }

    /** What scripts/wan_webui/pages.py says of the open page. */
    function about() {
        return page.pages.find((each) => each.name === pages.name);
    }

    /** The part of the open page. */
    function open() {
        return part(pages.name);
    }

    function begun() {
        open().shown?.();
    }

    function clicked(event) {
        if (event.target.closest("#wan_generate")) server.attempt(() => open().generate(true));
        if (event.target.closest("#wan_queue")) server.attempt(() => open().generate(false));
    }

    Object.assign(pages, { build, begun, clicked, show, about, open });
})();
