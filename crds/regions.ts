/**
 * The seven regions and the country table: every ISO 3166-1 alpha-2 code (249, as of 2026) in exactly one
 * region, along the lines of the agent-pools specification: Central America and the Caribbean count as North
 * America, Oceania as Asia Pacific. Routing an offering to a pool starts here.
 */

export const REGIONS = ['europe', 'na', 'latam', 'apac', 'mena', 'ssa', 'cis'] as const;
export type Region = (typeof REGIONS)[number];

export const REGION_NAMES: Readonly<Record<Region, string>> = {
  europe: 'Europe',
  na: 'North America',
  latam: 'Latin America',
  apac: 'Asia Pacific',
  mena: 'Middle East & North Africa',
  ssa: 'Sub-Saharan Africa',
  cis: 'CIS (Russia & neighbors)',
};

const COUNTRIES: Readonly<Record<Region, string>> = {
  europe: `
    AD AL AT AX BA BE BG CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC ME MK MT
    NL NO PL PT RO RS SE SI SJ SK SM VA`,
  na: `
    AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC
    TT US VC VG VI`,
  latam: 'AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE',
  apac: `
    AF AQ AS AU BD BN BT CC CK CN CX FJ FM GU HK HM ID IN IO JP KH KI KP KR LA LK MH MM MN MO MP MV MY NC NF NP
    NR NU NZ PF PG PH PK PN PW SB SG TH TK TL TO TV TW UM VN VU WF WS`,
  mena: 'AE BH DJ DZ EG EH IL IQ IR JO KW LB LY MA OM PS QA SA SY TN TR YE',
  ssa: `
    AO BF BI BJ BW CD CF CG CI CM CV ER ET GA GH GM GN GQ GW KE KM LR LS MG ML MR MU MW MZ NA NE NG RE RW SC SD
    SH SL SN SO SS ST SZ TD TF TG TZ UG YT ZA ZM ZW`,
  cis: 'AM AZ BY GE KG KZ MD RU TJ TM UA UZ',
};

const REGION_OF: ReadonlyMap<string, Region> = new Map(
  REGIONS.flatMap((region) =>
    COUNTRIES[region]
      .trim()
      .split(/\s+/)
      .map((code) => [code, region] as const),
  ),
);

/** Every code of the table, sorted. */
export const COUNTRY_CODES: readonly string[] = [...REGION_OF.keys()].sort();

/** The region of an upper-case alpha-2 code; undefined for a code that ISO does not list. */
export const regionOfCountry = (code: string): Region | undefined => REGION_OF.get(code);

/** Codes that people write for a country by mistake, and the one that ISO has. */
const COMMON_MISTAKES: Readonly<Record<string, string>> = {
  UK: 'GB',
  EL: 'GR',
  SU: 'RU',
  YU: 'RS',
  TP: 'TL',
};

/** What to say of an unknown code. The CRD's CEL rule has the same sentence. */
export const COUNTRY_HINT = 'use an ISO 3166-1 alpha-2 code, e.g. GB for the United Kingdom';

export function suggestCountry(code: string): string | undefined {
  const upper = code.toUpperCase();
  return REGION_OF.has(upper) ? upper : COMMON_MISTAKES[upper];
}
