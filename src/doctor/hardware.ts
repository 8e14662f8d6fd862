/** The card on the bus, DAHDI's core module, and the card's own module. */
import { type CardGuess, cardOf, type KnownCard } from "./cards";
import { error, type Finding, ok, skipped, warning } from "./findings";
import { moduleLoaded, type System } from "./system";

const PCI = "/sys/bus/pci/devices";

export interface SeenCard {
  /** 0000:01:00.0 */
  address: string;
  /** d161:8005 */
  numbers: string;
  guess: NonNullable<CardGuess>;
  /** The driver that took it. */
  boundTo: string | null;
}

export function pciCards(system: System): SeenCard[] {
  const seen: SeenCard[] = [];
  for (const address of system.list(PCI) ?? []) {
    const number = (file: string): number =>
      Number(system.readText(`${PCI}/${address}/${file}`)?.trim() || Number.NaN);
    const [vendor, device] = [number("vendor"), number("device")];
    const guess = cardOf(vendor, device, number("subsystem_vendor"));
    if (!guess) continue;
    const hex = (value: number): string => value.toString(16).padStart(4, "0");
    const boundTo = system.link(`${PCI}/${address}/driver`)?.split("/").at(-1) ?? null;
    seen.push({ address, numbers: `${hex(vendor)}:${hex(device)}`, guess, boundTo });
  }
  return seen;
}

export function checkCard(cards: readonly SeenCard[], channelCount: number): Finding {
  const names = cards.map(({ guess, address, numbers }) =>
    guess.kind === "analog" ? `${guess.card.name} at ${address} (${numbers})` : `${guess.name} (${numbers})`,
  );
  if (cards.some(({ guess }) => guess.kind === "analog"))
    return ok("card", `There is a card: ${names.join(", ")}`);
  if (channelCount > 0) {
    return warning("card", "No PCI card that is known to feed telephones, yet the driver has channels", {
      detail: `They may be virtual, on USB, or on a card that is new to us.${names.length > 0 ? ` Seen: ${names.join(", ")}.` : ""}`,
    });
  }
  if (names.length > 0) {
    return error("card", `The card is none that is known to feed telephones: ${names.join(", ")}`, {
      detail: "An FXS card is needed: docs/hardware.md lists the drivers.",
    });
  }
  return error("card", "No telephone card is on the PCI bus", {
    detail:
      "Check that it sits well and has its power; a Raspberry Pi 5 also needs dtparam=pciex1 in " +
      "/boot/firmware/config.txt. Without a card, start with --simulate.",
    fix: "lspci -nn",
  });
}

/** What to load: the card's module brings the core with it. */
export const moduleToLoad = (cards: readonly SeenCard[]): string => analogCards(cards)[0]?.card.module ?? "dahdi";

function analogCards(cards: readonly SeenCard[]): { card: KnownCard; seen: SeenCard }[] {
  return cards.flatMap((seen) => (seen.guess.kind === "analog" ? [{ card: seen.guess.card, seen }] : []));
}

const installedFor = (system: System, kernel: string): boolean =>
  /\/dahdi\.ko(\.\w+)?:/m.test(system.readText(`/lib/modules/${kernel}/modules.dep`) ?? "");

export const driverLoaded = (system: System): boolean => moduleLoaded(system, "dahdi");

export function checkDriver(system: System, cards: readonly SeenCard[]): Finding {
  const { kernel } = system;
  const load = `sudo modprobe ${moduleToLoad(cards)}`;
  if (driverLoaded(system)) {
    const version = system.readText("/sys/module/dahdi/version")?.trim() ?? "of unknown version";
    return ok("driver", `The DAHDI driver ${version} runs on kernel ${kernel}`);
  }
  if (installedFor(system, kernel)) {
    return error("driver", "The DAHDI driver is not loaded", {
      detail: `It is there for this kernel (${kernel}). To have it at every start, name the module in /etc/modules-load.d/dahdi.conf.`,
      fix: load,
    });
  }
  const headers = "sudo apt-get install linux-headers-$(uname -r)";
  const others = (system.list("/lib/modules") ?? []).filter((name) => installedFor(system, name));
  if (others.length > 0 || system.list("/var/lib/dkms/dahdi") !== null) {
    const built = others.length > 0 ? `It is built for ${others.join(", ")}.` : "DKMS has its source.";
    return error("driver", `The DAHDI driver is not built for the running kernel ${kernel}`, {
      detail: `${built} ${TOO_OLD}`,
      fix: `${headers} && sudo dkms autoinstall && ${load}`,
    });
  }
  return error("driver", "The DAHDI driver is not installed", {
    detail: `Debian and Raspberry Pi OS have it as dahdi-dkms, which builds it for kernel ${kernel}. ${TOO_OLD}`,
    fix: `${headers} dahdi-dkms dahdi && ${load}`,
  });
}

const TOO_OLD =
  "Debian 12's DAHDI 2.11 builds on kernels up to 6.1; a newer one needs dahdi-dkms of Debian 13 or later.";

export function checkCardDriver(system: System, cards: readonly SeenCard[]): Finding {
  const [first] = analogCards(cards);
  if (!first) return skipped("card_driver", "No known card, so no module of its own is looked for");
  const { module } = first.card;
  const { boundTo, address } = first.seen;
  if (boundTo === module) return ok("card_driver", `The card's driver ${module} has taken it`);
  if (boundTo !== null) {
    return error("card_driver", `Another driver, ${boundTo}, has taken the card`, {
      detail: `${module} drives it. Loaded first, ${boundTo} keeps it away.`,
      fix: `echo 'blacklist ${boundTo}' | sudo tee /etc/modprobe.d/dahdi-phone-api.conf && sudo modprobe -r ${boundTo} && sudo modprobe ${module}`,
    });
  }
  if (!moduleLoaded(system, module)) {
    return error("card_driver", `The card's driver ${module} is not loaded`, {
      detail: "The second command loads it at every start.",
      fix: `sudo modprobe ${module} && echo ${module} | sudo tee /etc/modules-load.d/dahdi.conf`,
    });
  }
  return error("card_driver", `${module} is loaded but did not take the card at ${address}`, {
    detail: "The kernel's log says why: often a module of the card that is not seated, or its 12 V are missing.",
    fix: `sudo dmesg | grep -i -e dahdi -e ${module}`,
  });
}
