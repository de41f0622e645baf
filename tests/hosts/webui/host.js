// What every WebUI's own script offers to those of extensions, and its keys.
"use strict";

const uiLoaded = [], uiUpdated = [], tabChanged = [];
let opts = {}, loaded = false, shownTab = null;

function gradioApp() {
  const app = document.getElementsByTagName("gradio-app")[0];
  return app ? app.shadowRoot || app : document;
}
function get_uiCurrentTab() {
  return gradioApp().querySelector("#tabs > .tab-nav > button.selected, #tabs [role=tab][aria-selected=true]");
}
function get_uiCurrentTabContent() {
  return Array.from(gradioApp().querySelectorAll("#tabs > .tabitem[id^=tab_]")).find((tab) => tab.style.display !== "none");
}
function onUiLoaded(callback) { uiLoaded.push(callback); if (loaded) callback(); }
function onUiUpdate(callback) { uiUpdated.push(callback); }
function onAfterUiUpdate(callback) { uiUpdated.push(callback); }
function onUiTabChange(callback) { tabChanged.push(callback); }
function randomId() { return `task(${Math.random().toString(36).slice(2)})`; }
function callAll(callbacks, argument) {
  for (const callback of callbacks) {
    try { callback(argument); } catch (error) { console.error("error in a script's callback:", error); }
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const watch = new MutationObserver((changes) => {
    if (!loaded && gradioApp().querySelector("#txt2img_prompt")) {
      loaded = true;
      callAll(uiLoaded);
    }
    callAll(uiUpdated, changes);
    const tab = get_uiCurrentTab();
    if (tab && tab !== shownTab) {
      shownTab = tab;
      callAll(tabChanged);
    }
  });
  watch.observe(gradioApp(), {childList: true, subtree: true});
});

// Ctrl+Enter, Alt+Enter and Escape press the buttons of the tab that is shown.
document.addEventListener("keydown", (event) => {
  const tab = get_uiCurrentTabContent();
  if (!tab) return;
  const generate = tab.querySelector("button[id$=_generate]");
  const interrupt = tab.querySelector("button[id$=_interrupt]");
  const skip = tab.querySelector("button[id$=_skip]");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && generate) {
    if (interrupt.style.display === "block") {
      interrupt.click();
      setTimeout(() => generate.click(), 500);
    } else {
      generate.click();
    }
    event.preventDefault();
  } else if (event.key === "Enter" && event.altKey && skip) {
    skip.click();
    event.preventDefault();
  } else if (event.key === "Escape" && interrupt && interrupt.style.display === "block") {
    interrupt.click();
  }
});

function set_theme(theme) {
  const here = new URL(window.location);
  if (!here.searchParams.has("__theme")) {
    here.searchParams.set("__theme", theme);
    window.location.replace(here);
  }
}
