//! Netherlands: prefixes such as `van der` make family names of several words.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const NL: Nationality = Nationality {
    code: "NL",
    country: "Netherlands",
    titles: Titles::ENGLISH,
    female: Words(
        "Aafke|Anouk|Annelies|Bente|Carlijn|Daphne|Doutzen|Elsbeth|Esmée|Femke|Fenna|Floor|\
         Geertje|Hilde|Ilse|Janneke|Jet|Jorien|Lotte|Maaike|Marleen|Mirjam|Noor|Roos|Sanne|\
         Sietske|Sterre|Tess|Wilhelmina|Zoë",
    ),
    male: Words(
        "Arjen|Bart|Bas|Bram|Coen|Daan|Dirk|Floris|Geert|Gijs|Hendrik|Hugo|Jaap|Jeroen|Joost|\
         Joris|Kees|Koen|Lars|Maarten|Menno|Niek|Pieter|Rens|Ruben|Sander|Sjoerd|Teun|Tijmen|\
         Wouter",
    ),
    last: Words(
        "Aalbers|Bakker|Blom|Brouwer|de Boer|de Groot|de Wit|Dekker|Dijkstra|Evers|Groen|\
         Hendriks|Hoekstra|Jansen|Kuiper|Mulder|Postma|Prins|Schouten|Smeets|ten Brink|\
         van Beek|van den Berg|van der Linden|van der Veen|van Dijk|Verhoeven|Vermeulen|\
         Visser|Zijlstra",
    ),
    streets: Words(
        "Beukenlaan|Burgemeesterplein|Dorpsstraat|Eikenlaan|Grachtkade|Havenstraat|Heideweg|\
         Kerkstraat|Lindelaan|Markt|Molenweg|Nieuwstraat|Oranjestraat|Stationsweg|Zeedijk",
    ),
    cities: Words(
        "Alkmaar|Amersfoort|Amsterdam|Apeldoorn|Arnhem|Breda|Delft|Den Haag|Deventer|\
         Eindhoven|Enschede|Groningen|Haarlem|Leeuwarden|Leiden|Maastricht|Middelburg|\
         Nijmegen|Rotterdam|Utrecht|Zwolle",
    ),
    states: Words(
        "Drenthe|Flevoland|Friesland|Gelderland|Groningen|Limburg|Noord-Brabant|\
         Noord-Holland|Overijssel|Utrecht|Zeeland|Zuid-Holland",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("(###)-###-####"),
    cell: Pattern("(###)-###-####"),
    id: Id::Pattern("BSN", Pattern("########")),
};
