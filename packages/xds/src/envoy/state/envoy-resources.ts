import type { Resource } from "@keelson/protos";
import { nameTable } from "../name-table.ts";
import { emptyRouteConfiguration } from "../route/virtual-host.ts";
import { envoyTypeUrls } from "../type-urls.ts";
import { MeshResources } from "./mesh-resources.ts";
import { type ResourceMap, resourceMap } from "./resource-maps.ts";

/** What Envoys of one kind have in common. */
export abstract class EnvoyResources extends MeshResources {
  private readonly strays = new Map<string, Resource>();

  protected abstract makeListeners(): Iterable<Resource>;
  protected abstract makeRoutes(): Iterable<Resource>;
  /** Routes of a name that no listener has; undefined: nobody ever has it. */
  protected abstract strayRoutes(name: string): Resource | undefined;

  get listeners(): ResourceMap {
    return (this.made.listeners ??= resourceMap(this.makeListeners(), this.before.listeners));
  }

  get routes(): ResourceMap {
    return (this.made.routes ??= resourceMap(this.makeRoutes(), this.before.routes));
  }

  override get extensionConfigs(): ResourceMap {
    return (this.made.extensionConfigs ??= resourceMap(
      this.context.extensionConfigs(),
      this.before.extensionConfigs,
    ));
  }

  get nameTable(): ResourceMap {
    return (this.made.nameTable ??= resourceMap([nameTable(this.context)], this.before.nameTable));
  }

  /** Routes that a listener which is just going away still asks for. */
  stray(typeUrl: string, name: string): Resource | undefined {
    if (typeUrl !== envoyTypeUrls.route) return undefined;
    const routes = this.strays.get(name) ?? this.strayRoutes(name) ?? emptyRouteConfiguration(name);
    this.strays.set(name, routes);
    return routes;
  }
}
