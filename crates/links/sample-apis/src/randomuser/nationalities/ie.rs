//! Ireland: apostrophes in the family names: a test of every consumer's quoting.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const IE: Nationality = Nationality {
    code: "IE",
    country: "Ireland",
    titles: Titles::ENGLISH,
    female: Words(
        "Aideen|Aisling|Aoife|Bláthnaid|Bríd|Caoimhe|Ciara|Clodagh|Deirdre|Eabha|Eimear|Emer|\
         Fionnuala|Grainne|Kate|Laoise|Maeve|Mairéad|Muireann|Niamh|Nora|Orla|Róisín|Sadhbh|\
         Saoirse|Síle|Sinéad|Sorcha|Tara|Úna",
    ),
    male: Words(
        "Aidan|Brendan|Cathal|Cian|Ciarán|Cillian|Colm|Conor|Cormac|Daithí|Darragh|Diarmuid|\
         Donal|Eamon|Eoin|Fergus|Fiachra|Finbar|Kevin|Lorcan|Malachy|Niall|Odhrán|Oisín|\
         Pádraig|Rónán|Ruairí|Seamus|Tadhg|Tiernan",
    ),
    last: Words(
        "Boyle|Brennan|Burke|Byrne|Cassidy|Connolly|Corrigan|Daly|Delaney|Donnelly|Farrell|\
         Fitzgerald|Flanagan|Foley|Hogan|Keane|Kinsella|Lynch|MacCarthy|McGrath|Moran|Nolan|\
         O'Brien|O'Connor|O'Donoghue|O'Leary|O'Sullivan|Quigley|Reilly|Sweeney",
    ),
    streets: Words(
        "Abbey Street|Ashgrove|Bridge Street|Castle Park|Chapel Lane|Church Road|\
         Convent Hill|Eyre Square|Harbour View|Main Street|Mill Road|O'Connell Street|\
         Patrick Street|Quay Street|The Green",
    ),
    cities: Words(
        "Athlone|Ballina|Bray|Carlow|Cashel|Clonmel|Cobh|Cork|Drogheda|Dublin|Dundalk|Ennis|\
         Galway|Kilkenny|Killarney|Limerick|Sligo|Tralee|Waterford|Westport|Wexford",
    ),
    states: Words(
        "Carlow|Cavan|Clare|Cork|Donegal|Dublin City|Fingal|Galway|Kerry|Kildare|Laois|\
         Leitrim|Longford|Louth|Mayo|Meath|Offaly|Roscommon|Tipperary|Westmeath|Wicklow",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("0{1234567}1-###-####"),
    cell: Pattern("081-###-####"),
    id: Id::Pattern("PPS", Pattern("#######T")),
};
