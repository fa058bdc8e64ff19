//! Brazil: the identity number is a CPF in its usual dress.

use super::{Id, Nationality, Pattern, Postcode, Titles, Words};

pub(super) const BR: Nationality = Nationality {
    code: "BR",
    country: "Brazil",
    titles: Titles::ENGLISH,
    female: Words(
        "Adriana|Alice|Aline|Antônia|Beatriz|Bianca|Camila|Carolina|Cecília|Débora|Eduarda|\
         Elisa|Fernanda|Flávia|Gabriela|Helena|Isadora|Joana|Júlia|Larissa|Letícia|Lívia|\
         Luíza|Mariana|Natália|Patrícia|Rafaela|Sofia|Tatiana|Vitória",
    ),
    male: Words(
        "Afonso|André|Antônio|Artur|Bernardo|Breno|Bruno|Caio|César|Daniel|Davi|Diego|\
         Eduardo|Fábio|Felipe|Gustavo|Heitor|Henrique|Igor|João|Leandro|Lucas|Marcelo|Mateus|\
         Otávio|Paulo|Rafael|Thiago|Vinícius|Wesley",
    ),
    last: Words(
        "Albuquerque|Almeida|Araújo|Azevedo|Barbosa|Barros|Batista|Brandão|Cardoso|Carvalho|\
         Cavalcanti|Conceição|Corrêa|Dias|Duarte|Esteves|Falcão|Fonseca|Gonçalves|Guimarães|\
         Leitão|Magalhães|Moreira|Nascimento|Peixoto|Pinheiro|Queiroz|Rezende|Siqueira|\
         Teixeira",
    ),
    streets: Words(
        "Avenida Atlântica|Avenida Central|Avenida das Nações|Rua Bela Vista|\
         Rua Boa Esperança|Rua da Liberdade|Rua das Acácias|Rua das Palmeiras|\
         Rua do Comércio|Rua do Ipê|Rua Primavera|Rua Santo Antônio|Rua São Jorge|\
         Travessa do Porto|Rua Quinze de Novembro",
    ),
    cities: Words(
        "Aracaju|Belém|Belo Horizonte|Blumenau|Brasília|Campinas|Cuiabá|Curitiba|\
         Florianópolis|Fortaleza|Goiânia|Joinville|João Pessoa|Londrina|Maceió|Manaus|\
         Niterói|Recife|São Luís|Uberlândia",
    ),
    states: Words(
        "Acre|Alagoas|Amapá|Amazonas|Bahia|Ceará|Distrito Federal|Espírito Santo|Goiás|\
         Maranhão|Mato Grosso|Minas Gerais|Pará|Paraíba|Paraná|Pernambuco|Piauí|\
         Rio de Janeiro|Rondônia|São Paulo|Sergipe|Tocantins",
    ),
    postcode: Postcode::Number(10_000, 99_999),
    phone: Pattern("(##) ####-####"),
    cell: Pattern("(##) ####-####"),
    id: Id::Pattern("CPF", Pattern("###.###.###-##")),
};
