// Applies the chosen theme and language before the first paint, so that nothing flashes.
(function () {
  try {
    var theme = localStorage.getItem("cti.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    var language = localStorage.getItem("cti.language");
    if (!language) language = /^zh/i.test(navigator.language) ? "zh" : "en";
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  } catch (error) {
    // Storage may be forbidden; the defaults are good.
  }
})();
