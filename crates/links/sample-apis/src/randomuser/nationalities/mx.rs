//! Mexico: two surnames would be usual; the original gives one.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const MX: Nationality = Nationality {
    code: "MX",
    country: "Mexico",
    titles: Titles::ENGLISH,
    female: Words(
        "Abril|Adela|Alicia|Araceli|Ariadna|Belén|Citlali|Dulce|Esmeralda|Esperanza|Fátima|\
         Graciela|Guadalupe|Itzel|Jazmín|Jimena|Leticia|Lourdes|Lupita|Marisol|Maritza|\
         Mónica|Nayeli|Perla|Regina|Renata|Rosario|Socorro|Xóchitl|Yolanda",
    ),
    male: Words(
        "Abel|Adolfo|Alfonso|Amado|Armando|Arturo|Benito|Cuauhtémoc|Cruz|Efraín|Elías|\
         Emiliano|Fidel|Gerardo|Germán|Hilario|Homero|Isaías|Jacinto|Jesús|Leonel|Martín|\
         Moisés|Noé|Octavio|Porfirio|Raúl|Saúl|Teodoro|Ulises",
    ),
    last: Words(
        "Alcántara|Arellano|Ávila|Bautista|Becerra|Cárdenas|Castañeda|Cervantes|Contreras|\
         Cortés|Cruz|Delgado|Espinoza|Figueroa|Guerrero|Huerta|Juárez|Ledesma|Luna|Macías|\
         Mendoza|Montoya|Nájera|Olvera|Pacheco|Padilla|Rentería|Salinas|Treviño|Villaseñor",
    ),
    streets: Words(
        "Avenida de la Paz|Avenida Insurgentes|Avenida Reforma|Calle Allende|\
         Calle Cinco de Mayo|Calle de la Rosa|Calle Hidalgo|Calle Independencia|Calle Juárez|\
         Calle Morelos|Callejón del Beso|Calzada del Valle|Camino a la Mina|\
         Privada Los Pinos|Paseo de la Laguna",
    ),
    cities: Words(
        "Acapulco|Aguascalientes|Campeche|Cancún|Chihuahua|Colima|Cuernavaca|Culiacán|\
         Durango|Guadalajara|Guanajuato|Hermosillo|La Paz|León|Mazatlán|Mérida|Monterrey|\
         Morelia|Oaxaca|Pachuca|Puebla|Querétaro|Tijuana|Veracruz",
    ),
    states: Words(
        "Baja California|Campeche|Chiapas|Coahuila|Durango|Guerrero|Hidalgo|Jalisco|\
         Michoacán|Morelos|Nayarit|Nuevo León|Oaxaca|Puebla|Quintana Roo|San Luis Potosí|\
         Sinaloa|Sonora|Tabasco|Tlaxcala|Yucatán|Zacatecas",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("(6##) ### ####"),
    cell: Pattern("(6##) ### ####"),
    id: Id::Pattern("NSS", Pattern("## ## ## #### #")),
};
