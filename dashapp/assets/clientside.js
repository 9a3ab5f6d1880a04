// The view (ticker, range, theme) lives in the URL and in one Store; these functions keep the two the same.
(function () {
  const DEFAULT_RANGE = "2y";

  function merged(search, changes) {
    const query = new URLSearchParams(search || "");
    Object.entries(changes).forEach(([key, value]) => { if (value) query.set(key, value); });
    const text = query.toString();
    return text ? "?" + text : "";
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    plumbline: {
      // One callback owns both directions, so that no cycle runs across two.
      view: function (search, pathname, ticker, range, fallback) {
        const none = window.dash_clientside.no_update;
        const context = window.dash_clientside.callback_context;
        const trigger = context.triggered.map((item) => item.prop_id);
        const query = new URLSearchParams(search || "");
        const byUser = (name) => trigger.length === 1 && trigger[0] === "shell-" + name + ".value";
        // A ticker that the list does not hold comes back as null: the URL keeps the word, the page explains it.
        const inUrl = (query.get("ticker") || "").toUpperCase();
        const chosen = byUser("ticker") && ticker ? ticker : (inUrl || ticker || fallback);
        const span = byUser("range") ? range : (query.get("range") || range || DEFAULT_RANGE);
        const changes = byUser("ticker") && ticker ? { ticker: ticker } : byUser("range") ? { range: range } : {};
        const target = merged(search, changes);
        const carried = merged("", { ticker: chosen, range: span });
        const links = context.outputs_list[4].map((item) => item.id.path + carried);
        const active = context.outputs_list[4].map((item) => item.id.path === pathname);
        return [
          chosen === ticker ? none : chosen,
          span === range ? none : span,
          target === (search || "") ? none : target,
          { ticker: chosen, range: span },
          links,
          active,
        ];
      },
      download: function (clicks) {
        return clicks ? true : window.dash_clientside.no_update;
      },
      theme: function (clicks) {
        const root = document.documentElement;
        let theme = root.getAttribute("data-bs-theme") || "light";
        if (clicks) {
          theme = theme === "dark" ? "light" : "dark";
          root.setAttribute("data-bs-theme", theme);
          root.setAttribute("data-ag-theme-mode", theme);
          try { localStorage.setItem("plumbline-theme", theme); } catch (error) { /* not kept, still shown */ }
        }
        return theme;
      },
    },
  });

  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const known = (value) => typeof value === "number" && isFinite(value);
  functions.plumblineNumber = function (value, digits) {
    if (!known(value)) return "–";
    return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })
      .replace("-", "−");
  };
  functions.plumblinePercent = function (value, digits) {
    return known(value) ? (value * 100).toFixed(digits).replace("-", "−") + " %" : "–";
  };
  functions.plumblineVote = function (value) {
    return value === 1 ? "buy" : value === -1 ? "sell" : value === 0 ? "neutral" : "–";
  };
})();
