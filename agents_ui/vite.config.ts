// How the desktop is built, served while developing, and tested.
import optimizeLocales from "@react-aria/optimize-locales-plugin";
import react from "@vitejs/plugin-react";
import { compression } from "vite-plugin-compression2";
import { defineConfig } from "vitest/config";

const server = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [
    react(),
    // react-aria speaks thirty languages; the desktop two.
    { ...optimizeLocales.vite({ locales: ["en-US", "zh-CN"] }), enforce: "pre" },
    // The server sends these as they are to browsers that take them (cti_server/api/desktop.py).
    compression({ algorithms: ["brotliCompress", "gzip"], include: /\.(html|js|css|svg|json|webmanifest)$/, threshold: 1000, skipIfLargerOrEqual: true }),
  ],
  server: {
    proxy: {
      "/api": { target: server },
      "/ws": { target: server, ws: true },
    },
  },
  // No asset is ever inlined as a script, and no source map is shipped: the server's CSP is default-src 'self'.
  build: {
    target: "es2022", cssTarget: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0, chunkSizeWarningLimit: 900,
    modulePreload: { polyfill: false },
  },
  // The limit is for what hangs: these run beside calls and browsers, and a busy machine is no defect of theirs.
  test: { environment: "node", include: ["src/**/*.test.ts"], setupFiles: ["src/dev/languages.ts"], testTimeout: 60_000 },
});
