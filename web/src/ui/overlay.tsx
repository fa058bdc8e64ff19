import { X } from "lucide-react";
import { Dialog as RadixDialog, Tooltip as RadixTooltip } from "radix-ui";
import { type ReactNode, useEffect, useRef } from "react";
import { cx } from "@/lib/cx";

/** Details at the right edge, over the page they belong to. What is open is in the address. */
export function Drawer({
  open,
  onClose,
  title,
  subtitle,
  actions,
  children,
  wide,
}: {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  subtitle?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  wide?: boolean;
}) {
  return (
    <RadixDialog.Root open={open} onOpenChange={(next) => !next && onClose()} modal={false}>
      <RadixDialog.Portal>
        <RadixDialog.Content
          aria-describedby={undefined}
          onInteractOutside={(event) => event.preventDefault()}
          tabIndex={-1}
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            (event.currentTarget as HTMLElement).focus({ preventScroll: true });
          }}
          className={cx(
            "fixed inset-y-0 right-0 z-40 flex w-full flex-col border-l bg-panel shadow-overlay outline-none sm:max-w-[min(92vw,var(--drawer))]",
            "animate-[slide-in_0.14s_ease-out]",
          )}
          style={{ ["--drawer" as string]: wide ? "820px" : "560px" }}
        >
          <div className="flex items-start gap-3 border-b px-4 py-3">
            <div className="min-w-0 grow">
              <RadixDialog.Title className="truncate text-base font-semibold">{title}</RadixDialog.Title>
              {subtitle && <div className="mt-0.5 text-xs text-soft">{subtitle}</div>}
            </div>
            {actions}
            <RadixDialog.Close
              aria-label="Close"
              className="inline-flex size-8 shrink-0 items-center justify-center rounded-md text-soft hover:bg-hover hover:text-ink"
            >
              <X className="size-4" />
            </RadixDialog.Close>
          </div>
          <div className="min-h-0 grow overflow-y-auto">{children}</div>
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

/**
 * Takes the keyboard until it is closed. The browser's own dialog: it traps focus, closes on Escape and
 * needs no injected style, which the content security policy would refuse.
 */
export function TopDialog({
  open,
  onClose,
  label,
  className,
  children,
}: {
  open: boolean;
  onClose: () => void;
  label: string;
  className?: string;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (open && element && !element.open) {
      element.showModal();
      element.querySelector<HTMLElement>("input, textarea")?.focus();
    }
    if (!open && element?.open) element.close();
  }, [open]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the dialog's own.
    <dialog
      ref={dialog}
      aria-label={label}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
      className={cx(
        "mx-auto mt-[12vh] flex-col overflow-hidden rounded-lg border bg-raised p-0 text-ink shadow-overlay backdrop:bg-scrim open:flex open:animate-[rise_0.12s_ease-out]",
        className,
      )}
    >
      {open && children}
    </dialog>
  );
}

/** A question that must be answered first. */
export function Modal({
  open,
  onClose,
  title,
  description,
  children,
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: string;
  children: ReactNode;
}) {
  return (
    <TopDialog
      open={open}
      onClose={onClose}
      label={title}
      className="max-h-[80vh] w-[min(520px,calc(100vw-24px))]"
    >
      <div className="border-b px-5 py-4">
        <h2 className="text-lg font-semibold">{title}</h2>
        {description && <p className="mt-1 text-soft">{description}</p>}
      </div>
      <div className="min-h-0 overflow-y-auto px-5 py-4">{children}</div>
    </TopDialog>
  );
}

export const TooltipProvider = RadixTooltip.Provider;

export function Tooltip({
  text,
  side = "top",
  children,
}: {
  text: ReactNode;
  side?: "top" | "right" | "bottom" | "left";
  children: ReactNode;
}) {
  return (
    <RadixTooltip.Root>
      <RadixTooltip.Trigger asChild>{children}</RadixTooltip.Trigger>
      <RadixTooltip.Portal>
        <RadixTooltip.Content
          side={side}
          sideOffset={6}
          collisionPadding={8}
          className="z-[60] max-w-xs rounded-md border bg-raised px-2 py-1 text-xs text-ink shadow-overlay"
        >
          {text}
        </RadixTooltip.Content>
      </RadixTooltip.Portal>
    </RadixTooltip.Root>
  );
}
