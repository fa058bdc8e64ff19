import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { Menu, Monitor, Moon, PanelLeftClose, PanelLeftOpen, Search, Sun } from "lucide-react";
import { useEffect, useState } from "react";
import { connect, setPaused, useLive } from "@/api/events";
import { cx } from "@/lib/cx";
import { Dot, type Tone } from "@/ui/badge";
import { Tooltip } from "@/ui/overlay";
import { Logo } from "./logo";
import { NAV, NAV_ITEMS } from "./nav";
import { Palette } from "./palette";
import { chooseTheme, type ThemeChoice, useThemeChoice } from "./theme";

const WIDE_KEY = "tidemill.rail";

export function Layout() {
  const [wide, setWide] = useState(() => localStorage.getItem(WIDE_KEY) !== "narrow");
  const [menu, setMenu] = useState(false);
  const [palette, setPalette] = useState(false);
  const path = useLocation({ select: (l) => l.pathname });
  useEffect(connect, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: going somewhere closes the menu.
  useEffect(() => setMenu(false), [path]);
  useShortcuts(() => setPalette(true));
  const resize = () => {
    localStorage.setItem(WIDE_KEY, wide ? "narrow" : "wide");
    setWide(!wide);
  };
  return (
    <div className="flex h-full">
      <a
        href="#main"
        className="sr-only z-50 rounded-md bg-brand px-3 py-2 text-on-brand focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <Rail wide={wide} onResize={resize} />
      {menu && (
        <div className="fixed inset-0 z-40 flex md:hidden">
          <button
            type="button"
            aria-label="Close menu"
            className="absolute inset-0 bg-scrim"
            onClick={() => setMenu(false)}
          />
          <Rail wide overlay onResize={() => setMenu(false)} />
        </div>
      )}
      <div className="flex min-w-0 grow flex-col">
        <TopBar onMenu={() => setMenu(true)} onSearch={() => setPalette(true)} />
        <main id="main" tabIndex={-1} className="relative flex min-h-0 grow flex-col outline-none">
          <Outlet />
        </main>
      </div>
      <Palette open={palette} onClose={() => setPalette(false)} />
    </div>
  );
}

/** cmd-k and `/` search; `g` then a letter goes to a page. */
function useShortcuts(openPalette: () => void) {
  const navigate = useNavigate();
  useEffect(() => {
    let prefix = 0;
    const onKey = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        openPalette();
        return;
      }
      const target = event.target as HTMLElement;
      if (
        target.matches("input, textarea, select, [contenteditable]") ||
        event.metaKey ||
        event.ctrlKey ||
        event.altKey
      )
        return;
      if (event.key === "/") {
        event.preventDefault();
        openPalette();
      } else if (event.timeStamp - prefix < 900) {
        prefix = 0;
        const item = NAV_ITEMS.find((i) => i.key === event.key);
        if (item) navigate({ to: item.to });
      } else if (event.key === "g") {
        prefix = event.timeStamp;
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [navigate, openPalette]);
}

function Rail({ wide, overlay, onResize }: { wide: boolean; overlay?: boolean; onResize: () => void }) {
  const path = useLocation({ select: (l) => l.pathname });
  return (
    <nav
      aria-label="Main"
      className={cx(
        "relative z-10 shrink-0 flex-col border-r bg-panel",
        overlay ? "flex w-60 animate-[appear_0.12s]" : "hidden md:flex",
        !overlay && (wide ? "w-[196px]" : "w-14"),
      )}
    >
      <Link to="/" className="flex h-12 shrink-0 items-center gap-2.5 px-3.5">
        <Logo className="size-7 shrink-0" />
        {wide && <span className="text-base font-semibold tracking-[-0.015em]">Tidemill</span>}
      </Link>
      <div className="flex min-h-0 grow flex-col gap-3 overflow-y-auto px-2 py-2">
        {NAV.map((section) => (
          <ul key={section.group ?? "home"} className="flex flex-col gap-0.5">
            {wide && section.group && (
              <li className="px-2.5 pt-1 pb-1 text-2xs font-medium text-faint">{section.group}</li>
            )}
            {section.items.map((item) => {
              const active = item.to === "/" ? path === "/" : path.startsWith(item.to);
              const link = (
                <Link
                  to={item.to}
                  aria-label={wide ? undefined : item.label}
                  aria-current={active ? "page" : undefined}
                  className={cx(
                    "flex h-8 items-center gap-2.5 rounded-md px-2.5 text-sm",
                    active
                      ? "bg-brand-soft font-medium text-brand-strong"
                      : "text-soft hover:bg-hover hover:text-ink",
                    !wide && "justify-center px-0",
                  )}
                >
                  <item.icon className="size-4 shrink-0" strokeWidth={active ? 2.2 : 1.9} />
                  {wide && item.label}
                </Link>
              );
              return (
                <li key={item.to}>
                  {wide ? (
                    link
                  ) : (
                    <Tooltip text={item.label} side="right">
                      {link}
                    </Tooltip>
                  )}
                </li>
              );
            })}
          </ul>
        ))}
      </div>
      <BoxesSummary wide={wide} />
      <button
        type="button"
        onClick={onResize}
        aria-label={wide ? undefined : "Expand the menu"}
        className={cx(
          "m-2 flex h-8 items-center gap-2.5 rounded-md px-2.5 text-xs text-faint hover:bg-hover hover:text-ink",
          !wide && "justify-center px-0",
        )}
      >
        {wide ? <PanelLeftClose className="size-4" /> : <PanelLeftOpen className="size-4" />}
        {wide && "Collapse"}
      </button>
    </nav>
  );
}

function BoxesSummary({ wide }: { wide: boolean }) {
  const boxes = useLive((live) => live.snapshot?.boxes);
  if (!boxes) return null;
  const down = boxes.filter((b) => b.status === "down");
  const tone: Tone = down.length === 0 ? "ok" : "bad";
  const names = down.map((b) => b.box).join(", ");
  const text =
    down.length === 0 ? `All ${boxes.length} parts answer` : `${down.length} of ${boxes.length} parts down`;
  return (
    <Tooltip text={names ? `${text}: ${names}` : text} side="right">
      <Link
        to="/"
        search={{ view: "boxes" }}
        className={cx(
          "mx-2 flex min-h-8 items-center gap-2.5 rounded-md px-2.5 py-1 text-xs text-soft hover:bg-hover",
          !wide && "justify-center px-0",
        )}
      >
        <Dot tone={tone} className="mx-1" />
        {wide && <span className="min-w-0 truncate">{text}</span>}
      </Link>
    </Tooltip>
  );
}

function TopBar({ onMenu, onSearch }: { onMenu: () => void; onSearch: () => void }) {
  return (
    <header className="flex h-12 shrink-0 items-center gap-2 border-b bg-panel px-3 sm:px-4">
      <button
        type="button"
        aria-label="Menu"
        onClick={onMenu}
        className="inline-flex size-8 items-center justify-center rounded-md text-soft hover:bg-hover md:hidden"
      >
        <Menu className="size-4" />
      </button>
      <Breadcrumbs />
      <button
        type="button"
        onClick={onSearch}
        className="ml-auto inline-flex h-8 items-center gap-2 rounded-md border bg-sunken px-2 text-xs text-faint hover:border-line-strong hover:text-soft sm:w-56 sm:px-2.5"
      >
        <Search className="size-3.5" />
        <span className="sr-only sm:not-sr-only sm:grow sm:text-left">Search or jump to…</span>
        <kbd className="hidden rounded border bg-panel px-1 text-2xs leading-4 sm:inline">
          {isMac() ? "⌘K" : "Ctrl K"}
        </kbd>
      </button>
      <LiveDot />
      <ThemeButton />
    </header>
  );
}

function isMac(): boolean {
  return /mac|iphone|ipad/i.test(navigator.platform);
}

function Breadcrumbs() {
  const path = useLocation({ select: (l) => l.pathname });
  const parts = path.split("/").filter(Boolean).map(decode);
  const home = NAV_ITEMS.find((item) => item.to === `/${parts[0] ?? ""}`);
  return (
    <nav aria-label="Breadcrumbs" className="flex min-w-0 items-center gap-1.5 text-sm">
      {home && parts.length === 0 && <span className="font-medium">Flow</span>}
      {parts.length > 0 && (
        <Link
          to={home?.to ?? "/"}
          className={cx("shrink-0", parts.length === 1 ? "font-medium" : "text-soft hover:text-ink")}
        >
          {home?.label ?? parts[0]}
        </Link>
      )}
      {parts.slice(1, parts[0] === "dags" ? undefined : 3).map((part) => {
        if (part === "runs") return null;
        return (
          <span key={`${part} ${parts.length}`} className="flex min-w-0 items-center gap-1.5">
            <span className="text-faint">/</span>
            <span className="truncate font-mono text-xs text-soft">{part}</span>
          </span>
        );
      })}
    </nav>
  );
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function LiveDot() {
  const link = useLive((live) => live.link);
  const [tone, text]: [Tone, string] =
    link === "live"
      ? ["ok", "Live"]
      : link === "paused"
        ? ["idle", "Paused"]
        : link === "lost"
          ? ["warn", "Reconnecting"]
          : ["idle", "Connecting"];
  return (
    <Tooltip
      text={
        link === "paused"
          ? "Values stand still. Click to follow again."
          : "Values follow once a second. Click to hold them."
      }
      side="bottom"
    >
      <button
        type="button"
        onClick={() => setPaused(link !== "paused")}
        aria-label={`${text}. ${link === "paused" ? "Follow" : "Hold"} live values`}
        className={cx(
          "inline-flex h-8 items-center gap-1.5 rounded-md px-2 text-xs hover:bg-hover",
          link === "lost" ? "bg-warn-soft text-warn" : "text-soft",
        )}
      >
        <Dot tone={tone} pulse={link === "live"} />
        <span className={cx(link === "live" && "hidden sm:inline")}>{text}</span>
      </button>
    </Tooltip>
  );
}

const THEMES: Record<ThemeChoice, { next: ThemeChoice; icon: typeof Sun; label: string }> = {
  system: { next: "light", icon: Monitor, label: "Theme: as the system" },
  light: { next: "dark", icon: Sun, label: "Theme: light" },
  dark: { next: "system", icon: Moon, label: "Theme: dark" },
};

function ThemeButton() {
  const choice = useThemeChoice();
  const { next, icon: Icon, label } = THEMES[choice];
  return (
    <Tooltip text={label} side="bottom">
      <button
        type="button"
        aria-label={`${label}. Change theme`}
        onClick={() => chooseTheme(next)}
        className="inline-flex size-8 items-center justify-center rounded-md text-soft hover:bg-hover hover:text-ink"
      >
        <Icon className="size-4" />
      </button>
    </Tooltip>
  );
}
