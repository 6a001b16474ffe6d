// First of all: what stands behind the # is secret. It leaves the address bar and the history
// before anything else is loaded, and goes nowhere but where it is for.
"use strict";

(() => {
  const told = new URLSearchParams(location.hash.slice(1));
  const secret = (name) => (/^[\w-]{43}$/.test(told.get(name) ?? "") ? told.get(name) : null);
  window.brought = { link: secret("link"), invite: secret("invite"), any: told.has("link") };
  if (told.has("link") || told.has("invite")) {
    history.replaceState(null, "", location.pathname + location.search);
  }
})();
