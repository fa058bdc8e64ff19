//! Canada: postcodes are text (`K1A 0B1`), and the original's telephone numbers have letters in them.

use super::super::identity::social_insurance_number;
use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const CA: Nationality = Nationality {
    code: "CA",
    country: "Canada",
    titles: Titles::ENGLISH,
    female: Words(
        "Abigail|Addison|Anaïs|Audrey|Avery|Béatrice|Brooklyn|Camille|Chelsea|Delphine|Emma|\
         Ève|Florence|Grace|Hailey|Juliette|Kaitlyn|Laurence|Léa|Maëlle|Mackenzie|Noémie|\
         Océane|Paige|Quinn|Rosalie|Sadie|Simone|Taylor|Violet",
    ),
    male: Words(
        "Alexis|Antoine|Benjamin|Blake|Carter|Charles|Connor|Dominic|Émile|Étienne|Félix|\
         Gabriel|Graham|Hunter|Isaac|Jérémy|Justin|Kyle|Laurent|Logan|Mathieu|Nathan|Olivier|\
         Owen|Philippe|Raphaël|Samuel|Tristan|Wesley|Zachary",
    ),
    last: Words(
        "Anderson|Beaulieu|Bélanger|Bergeron|Bouchard|Campbell|Côté|Desjardins|Dubois|Fraser|\
         Gagné|Grant|Hébert|Hughes|Kowalski|Lavoie|Leclerc|MacDonald|McKenzie|Morin|Nguyen|\
         Ouellet|Pelletier|Poirier|Ross|Singh|Sinclair|Thibault|Tremblay|Wong",
    ),
    streets: Words(
        "Aspen Way|Birch Lane|Bloor Street|Chemin du Lac|Confederation Drive|\
         Granville Street|King Street West|Lakeshore Road|Maple Avenue|Pine Ridge Road|\
         Portage Avenue|Rue Sherbrooke|Rue des Érables|Spruce Crescent|Victoria Street",
    ),
    cities: Words(
        "Banff|Brandon|Calgary|Charlottetown|Edmonton|Fredericton|Gatineau|Halifax|Hamilton|\
         Kelowna|Kingston|Moncton|Montréal|Moose Jaw|Québec|Saskatoon|Sherbrooke|\
         Trois-Rivières|Victoria|Winnipeg",
    ),
    states: Words(
        "Alberta|British Columbia|Manitoba|New Brunswick|Newfoundland and Labrador|\
         Northwest Territories|Nova Scotia|Nunavut|Ontario|Prince Edward Island|Québec|\
         Saskatchewan|Yukon",
    ),
    postcode: Postcode::Text(Pattern("@#@ #@#")),
    phone: Pattern("@## @##-####"),
    cell: Pattern("@## @##-####"),
    id: Id::Computed("SIN", social_insurance_number),
};
