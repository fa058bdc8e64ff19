//! Spain: the identity number is a DNI.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const ES: Nationality = Nationality {
    code: "ES",
    country: "Spain",
    titles: Titles::ENGLISH,
    female: Words(
        "Ainhoa|Alba|Alejandra|Amparo|Begoña|Blanca|Candela|Carmen|Consuelo|Elena|Estefanía|\
         Gloria|Inés|Irene|Itziar|Lucía|Macarena|Manuela|Mercedes|Montserrat|Noelia|Nuria|\
         Pilar|Rocío|Sonia|Teresa|Triana|Úrsula|Valeria|Verónica",
    ),
    male: Words(
        "Adrián|Agustín|Alberto|Álvaro|Andrés|Aurelio|Bartolomé|Carlos|Cristóbal|Emilio|\
         Enrique|Fermín|Francisco|Gonzalo|Ignacio|Iker|Íñigo|Jaime|Joaquín|José|Julián|\
         Lorenzo|Manuel|Marcos|Nicolás|Óscar|Pablo|Ramón|Rubén|Víctor",
    ),
    last: Words(
        "Aguilar|Álvarez|Arroyo|Benítez|Blázquez|Cabrera|Calvo|Castaño|Domínguez|Echevarría|\
         Fernández|Galán|Garrido|Gutiérrez|Hernández|Ibáñez|Jiménez|Lozano|Márquez|Méndez|\
         Muñoz|Navarro|Núñez|Ortega|Peña|Quintana|Ríos|Sáez|Vázquez|Zamora",
    ),
    streets: Words(
        "Avenida de América|Avenida de la Constitución|Calle de Alcalá|Calle de la Luna|\
         Calle del Carmen|Calle del Pez|Calle del Prado|Calle Mayor|Calle Nueva|Camino Real|\
         Paseo Marítimo|Plaza de España|Plaza Mayor|Ronda de Toledo|Travesía del Molino",
    ),
    cities: Words(
        "Albacete|Alicante|Almería|Badajoz|Barcelona|Bilbao|Burgos|Cádiz|Córdoba|Gijón|\
         Granada|La Coruña|León|Logroño|Madrid|Málaga|Murcia|Salamanca|Sevilla|Zaragoza",
    ),
    states: Words(
        "Andalucía|Aragón|Asturias|Cantabria|Castilla la Mancha|Castilla y León|Cataluña|\
         Comunidad de Madrid|Extremadura|Galicia|Islas Baleares|La Rioja|Navarra|País Vasco|\
         Región de Murcia",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("9##-###-###"),
    cell: Pattern("6##-###-###"),
    id: Id::Pattern("DNI", Pattern("########-@")),
};
