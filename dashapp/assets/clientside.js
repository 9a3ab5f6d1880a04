// The view (ticker, range, theme) lives in the URL and in one Store; these functions keep the two the same.
(function () {
  const DEFAULT_RANGE = "2y";
  let shown = "";

  function withChanges(search, changes) {
    const query = new URLSearchParams(search || "");
    Object.entries(changes).forEach(([key, value]) => { if (value) query.set(key, value); });
    const text = query.toString();
    return text ? "?" + text : "";
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    plumbline: {
      // One callback owns both directions, so that no cycle runs across two. The URL is written only when somebody
      // chose something: rewriting it on the way back would trap the back button.
      view: function (search, pathname, ticker, range, shell) {
        const none = window.dash_clientside.no_update;
        const context = window.dash_clientside.callback_context;
        const trigger = context.triggered.map((item) => item.prop_id);
        const query = new URLSearchParams(search || "");
        const byUser = (name) => trigger.length === 1 && trigger[0] === "shell-" + name + ".value";
        // A ticker that the list does not hold comes back as null: the URL keeps the word, the page explains it.
        const tickerInUrl = (query.get("ticker") || "").toUpperCase();
        const rangeInUrl = shell.ranges.includes(query.get("range")) ? query.get("range") : null;
        const chosen = (byUser("ticker") && ticker) || tickerInUrl || ticker || shell.ticker || null;
        const span = (byUser("range") && range) || rangeInUrl || range || DEFAULT_RANGE;
        let target = none;
        if (byUser("ticker") && ticker && ticker !== tickerInUrl) target = withChanges(search, { ticker: ticker });
        if (byUser("range") && range !== rangeInUrl) target = withChanges(search, { range: range });
        const view = { ticker: chosen, range: span };
        const isNews = JSON.stringify(view) !== shown;
        shown = JSON.stringify(view);
        const carried = withChanges("", view);
        const tabs = context.outputs_list[4];
        setTimeout(() => { // on a phone the active tab may lie outside the strip
          const active = document.querySelector(".topbar .nav-link.active");
          if (active) active.scrollIntoView({ block: "nearest", inline: "nearest" });
        }, 100);
        return [
          chosen === ticker ? none : chosen,
          span === range ? none : span,
          target,
          isNews ? view : none,
          tabs.map((item) => item.id.path + carried),
          tabs.map((item) => item.id.path === pathname),
          !(shell.uses[pathname] || []).includes("ticker"),
          !(shell.uses[pathname] || []).includes("range"),
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
  functions.plumblinePValue = function (value) {
    return known(value) && value < 0.0001 ? "< 0.0001" : functions.plumblineNumber(value, 4);
  };
  functions.plumblineTimes100 = function (value) {
    return known(value) ? value * 100 : null;
  };

  // A spreadsheet would run a text that begins like a formula; numbers are no text and stay as they are.
  functions.plumblineCsvCell = function (params) {
    const value = params.value;
    return typeof value === "string" && /^(\s*[=+\-@＝＋－＠]|[\t\r\n])/.test(value) ? "'" + value : value;
  };

  // An opened list takes what is typed: the search field gets the focus as soon as it is there.
  document.addEventListener("click", function (event) {
    if (!event.target.closest || !event.target.closest(".dash-dropdown")) return;
    setTimeout(() => {
      const field = document.querySelector(".dash-dropdown-search");
      if (field) field.focus();
    }, 60);
  });
})();
