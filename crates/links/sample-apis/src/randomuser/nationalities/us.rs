//! United States: the identity number keeps out of the ranges that are never issued.

use super::super::identity::social_security_number;
use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const US: Nationality = Nationality {
    code: "US",
    country: "United States",
    titles: Titles::ENGLISH,
    female: Words(
        "Allison|Alyssa|Ashley|Aubrey|Bailey|Brianna|Caroline|Claire|Danielle|Destiny|Ellie|\
         Faith|Gianna|Hazel|Jocelyn|Kendra|Kimberly|Leah|Lillian|Madison|Mariah|Melissa|\
         Nevaeh|Peyton|Rachel|Savannah|Skylar|Stephanie|Trinity|Vanessa",
    ),
    male: Words(
        "Aaron|Austin|Brandon|Brody|Cameron|Chase|Christian|Colton|Derek|Dustin|Easton|\
         Garrett|Grant|Grayson|Jaxon|Jeremiah|Jordan|Josiah|Kevin|Landon|Marcus|Micah|Parker|\
         Preston|Ricardo|Sawyer|Shane|Travis|Tyler|Wyatt",
    ),
    last: Words(
        "Alvarado|Barker|Bishop|Boone|Bryant|Castillo|Chavez|Daniels|Dawson|Delgado|Everett|\
         Fields|Fleming|Garza|Hawkins|Holloway|Hudson|Jennings|Lambert|Maldonado|McCoy|\
         Norris|Pruitt|Ramsey|Sanders|Spears|Stokes|Vaughn|Weaver|Whitfield",
    ),
    streets: Words(
        "Bluebird Trail|Broadway|Canyon Drive|Cedar Street|Cherokee Lane|Dogwood Avenue|\
         Elm Street|Fifth Avenue|Lincoln Highway|Magnolia Boulevard|Market Street|\
         Oak Hill Road|Pecan Grove Lane|Riverside Drive|Sunset Boulevard|Sycamore Court|\
         Washington Street",
    ),
    cities: Words(
        "Albuquerque|Anchorage|Asheville|Boise|Boulder|Burlington|Chattanooga|Des Moines|\
         Duluth|El Paso|Eugene|Fargo|Grand Rapids|Honolulu|Lubbock|Madison|Omaha|Portland|\
         Raleigh|Reno|Savannah|Spokane|Tucson|Tulsa|Wichita",
    ),
    states: Words(
        "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Delaware|Florida|Georgia|Hawaii|\
         Idaho|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Michigan|Montana|\
         Nebraska|New Mexico|North Dakota|Ohio|Oregon|South Carolina|Texas|Utah|Vermont|\
         Wyoming",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("(%##) %##-####"),
    cell: Pattern("(%##) %##-####"),
    id: Id::Computed("SSN", social_security_number),
};
