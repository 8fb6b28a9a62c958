/** Application code that calls another process, written without a thought about how it is tested. */
import { r } from "@bluelibs/runner";

/** These live in the weather service. */
export const forecast = r.task.phantom<{ city: string }, { celsius: number; until: Date }>("weather.forecast").build();
export const unknownCity = r
  .error<{ city: string }>("weather.errors.unknownCity")
  .format(({ city }) => `nobody knows ${city}`)
  .build();
export const searched = r.event<{ city: string }>("weather.searched").build();

/** How this application reaches it. Tests replace this resource and nothing else. */
export const toWeather = r.tunnel
  .client("app.tunnels.toWeather")
  .tasks([forecast])
  .events([searched], { eventDeliveryMode: "remote-only" })
  .http({ baseUrl: process.env.WEATHER_URL ?? "", auth: { token: "dev-secret" } })
  .build();

export const packingList = r
  .task("app.tasks.packingList")
  .dependencies({ forecast, searched })
  .run(async (city: string, { forecast, searched }) => {
    await searched({ city });
    try {
      const { celsius } = await forecast({ city });
      return celsius < 15 ? ["coat"] : ["sunglasses"];
    } catch (error) {
      if (unknownCity.is(error)) return ["map"];
      throw error;
    }
  })
  .build();

export const app = r.resource("app").register([forecast, unknownCity, searched, toWeather, packingList]).build();
